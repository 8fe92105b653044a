import { Tensor } from 'onnxruntime-node';
import type { ForwardRow } from '../engine/model-runner.ts';
import { graphInputs } from './graph-contract.ts';
import { createInt64Array, type Int64Array } from './int64-array.ts';
import type { KvBuffers } from './kv-buffers.ts';

/** Added to a score, it makes the probability exactly zero. */
export const HIDDEN = -1e9;

export type Feeds = Record<string, Tensor>;

/**
 * Inputs of a decode step: one new token in each of the slots 0..B-1. The tensors are views of arrays that
 * live as long as the width stays, so a step writes a few numbers and makes no objects.
 */
export class DecodeFeeds {
  readonly #kv: KvBuffers;
  readonly #ids: Int64Array;
  readonly #positions: Int64Array;
  readonly #logitRows: Int64Array;
  readonly #targets: Int64Array;
  #bias: Float32Array;
  /** Past positions that the bias shows, per slot. */
  readonly #visible: Int32Array;
  #byBatch: (Feeds | undefined)[] = [];

  constructor(kv: KvBuffers) {
    this.#kv = kv;
    this.#ids = createInt64Array(kv.slots);
    this.#positions = createInt64Array(kv.slots);
    this.#logitRows = createInt64Array(kv.slots);
    this.#targets = createInt64Array(kv.slots);
    this.#visible = new Int32Array(kv.slots);
    for (let row = 0; row < kv.slots; row += 1) this.#logitRows.set(row, row);
    this.#bias = new Float32Array(0);
    this.reset();
  }

  /** To be called when the width has changed. */
  reset(): void {
    this.#byBatch = [];
    this.#visible.fill(0);
    const stride = 1 + this.#kv.width;
    this.#bias = new Float32Array(this.#kv.slots * stride).fill(HIDDEN);
    // The new token comes first, and sees itself.
    for (let slot = 0; slot < this.#kv.slots; slot += 1) this.#bias[slot * stride] = 0;
  }

  /** @param rows one-token rows in the slots 0..n-1, in order. */
  fill(rows: readonly ForwardRow[]): Feeds {
    rows.forEach((row, index) => {
      this.#ids.set(index, row.tokens[0]!);
      this.#positions.set(index, row.position);
      this.#show(index, row.position);
    });
    const batch = rows.length;
    this.#byBatch[batch] ??= this.#tensors(batch);
    return this.#byBatch[batch];
  }

  #show(slot: number, positions: number): void {
    const shown = this.#visible[slot]!;
    if (shown === positions) return;
    const past = slot * (1 + this.#kv.width) + 1;
    this.#bias.fill(
      positions > shown ? 0 : HIDDEN,
      past + Math.min(shown, positions),
      past + Math.max(shown, positions),
    );
    this.#visible[slot] = positions;
  }

  #tensors(batch: number): Feeds {
    const { kvHeads, headSize, layers } = this.#kv.shape;
    const width = this.#kv.width;
    const length = batch * kvHeads * headSize * width;
    const ints = (array: Int64Array, dims: number[]) =>
      new Tensor('int64', array.data.subarray(0, batch), dims);
    const feeds: Feeds = {
      [graphInputs.inputIds]: ints(this.#ids, [batch, 1]),
      [graphInputs.positionIds]: ints(this.#positions, [batch, 1]),
      [graphInputs.logitRows]: ints(this.#logitRows, [batch]),
      [graphInputs.targetIds]: ints(this.#targets, [batch]),
      [graphInputs.bias]: new Tensor('float32', this.#bias.subarray(0, batch * (1 + width)), [
        batch,
        1,
        1,
        1,
        1 + width,
      ]),
    };
    for (let layer = 0; layer < layers; layer += 1) {
      feeds[graphInputs.pastKey(layer)] = new Tensor('float32', this.#kv.keys[layer]!.subarray(0, length), [
        batch,
        kvHeads,
        headSize,
        width,
      ]);
      feeds[graphInputs.pastValue(layer)] = new Tensor(
        'float32',
        this.#kv.values[layer]!.subarray(0, length),
        [batch, kvHeads, width, headSize],
      );
    }
    return feeds;
  }
}
