import assert from 'node:assert/strict';
import type { KvBuffers, KvShape, KvTarget } from './kv-buffers.ts';

/**
 * Pieces of prompts that are kept outside the slots. Their memory is taken when they are first written, and then stays.
 */
export class PromptBlocks {
  readonly #shape: KvShape;
  readonly #tokens: number;
  readonly #blocks: (KvTarget | undefined)[];

  constructor(shape: KvShape, size: { readonly blocks: number; readonly tokens: number }) {
    this.#shape = shape;
    this.#tokens = size.tokens;
    this.#blocks = Array.from({ length: size.blocks });
  }

  save(block: number, kv: KvBuffers, from: { slot: number; position: number }): void {
    assert(block >= 0 && block < this.#blocks.length, `block ${block} does not exist`);
    this.#blocks[block] ??= createBlock(this.#shape, this.#tokens);
    kv.extract({ ...from, count: this.#tokens }, this.#blocks[block]);
  }

  /** Into a slot that has been prepared for them. */
  load(blocks: readonly number[], kv: KvBuffers, slot: number): void {
    blocks.forEach((block, place) => {
      const source = this.#blocks[block];
      assert(source !== undefined, `block ${block} was never saved`);
      kv.insert(source, { slot, position: place * this.#tokens, count: this.#tokens });
    });
  }
}

/** Bytes of a block. */
export function blockBytes({ layers, kvHeads, headSize }: KvShape, tokens: number): number {
  return 2 * layers * kvHeads * headSize * tokens * Float32Array.BYTES_PER_ELEMENT;
}

/** All layers in one piece of memory. */
function createBlock(shape: KvShape, tokens: number): KvTarget {
  const perLayer = shape.kvHeads * shape.headSize * tokens;
  const memory = new Float32Array(2 * shape.layers * perLayer);
  const part = (index: number) => memory.subarray(index * perLayer, (index + 1) * perLayer);
  return {
    shape,
    keys: Array.from({ length: shape.layers }, (_, layer) => part(2 * layer)),
    values: Array.from({ length: shape.layers }, (_, layer) => part(2 * layer + 1)),
    width: tokens,
  };
}
