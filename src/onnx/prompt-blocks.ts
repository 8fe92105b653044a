import assert from 'node:assert/strict';
import type { KvBuffers, KvShape, KvTarget } from './kv-buffers.ts';

/**
 * Pieces of prompts that are kept outside the slots. All of their memory is taken at once, so that a server that has started does not grow
 * by it for hours until it no longer fits the machine.
 */
export class PromptBlocks {
  readonly #tokens: number;
  readonly #blocks: readonly KvTarget[];
  readonly #saved = new Set<number>();

  constructor(shape: KvShape, size: { readonly blocks: number; readonly tokens: number }) {
    this.#tokens = size.tokens;
    this.#blocks = Array.from({ length: size.blocks }, () => createBlock(shape, size.tokens));
  }

  save(block: number, kv: KvBuffers, from: { slot: number; position: number }): void {
    const target = this.#blocks[block];
    assert(target !== undefined, `block ${block} does not exist`);
    kv.extract({ ...from, count: this.#tokens }, target);
    this.#saved.add(block);
  }

  /** Into a slot that has been prepared for them. */
  load(blocks: readonly number[], kv: KvBuffers, slot: number): void {
    blocks.forEach((block, place) => {
      const source = this.#blocks[block];
      assert(source !== undefined && this.#saved.has(block), `block ${block} was never saved`);
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
  // Written to, or the system would hand the memory out page by page later.
  const memory = new Float32Array(2 * shape.layers * perLayer).fill(0);
  const part = (index: number) => memory.subarray(index * perLayer, (index + 1) * perLayer);
  return {
    shape,
    keys: Array.from({ length: shape.layers }, (_, layer) => part(2 * layer)),
    values: Array.from({ length: shape.layers }, (_, layer) => part(2 * layer + 1)),
    width: tokens,
  };
}
