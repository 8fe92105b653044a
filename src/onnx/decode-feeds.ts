import assert from 'node:assert/strict';
import { Tensor } from 'onnxruntime-node';
import type { DecodeRow } from '../engine/model-runner.ts';
import { graphInputs } from './graph-contract.ts';
import { createInt64Array, type Int64Array } from './int64-array.ts';
import { type KvBuffers, type KvContents, type KvTarget, replyScoresFor } from './kv-buffers.ts';
import { sharePrompts } from './prompt-sharing.ts';

/** Added to a score, it makes the probability exactly zero. */
export const HIDDEN = -1e9;

export type Feeds = Record<string, Tensor>;

/** The two caches that a decode step reads. */
export interface DecodeCaches {
  readonly replies: KvBuffers;
  readonly prompts: KvBuffers;
  /** Query heads. */
  readonly heads: number;
}

/**
 * Inputs of a decode step: one new token in each of the reply slots 0..B-1. The tensors are views of arrays that
 * live as long as the widths stay, so a step writes a few numbers and makes no objects; only when rows join, leave or move are the
 * lists of who reads which prompt made anew.
 */
export class DecodeFeeds {
  readonly #caches: DecodeCaches;
  readonly #ids: Int64Array;
  readonly #positions: Int64Array;
  readonly #logitRows: Int64Array;
  readonly #targets: Int64Array;
  #bias: Float32Array;
  /** Positions that the bias shows of each row's reply and of its prompt. */
  readonly #visible: { readonly reply: Int32Array; readonly prompt: Int32Array };
  /** Tensors over the first n slots, by n. */
  #byRows: (Feeds | undefined)[] = [];
  #byPrompts: (Feeds | undefined)[] = [];
  #current: { readonly promptSlots: readonly number[]; readonly feeds: Feeds } | null = null;

  constructor(caches: DecodeCaches) {
    this.#caches = caches;
    const { slots } = caches.replies;
    this.#ids = createInt64Array(slots);
    this.#positions = createInt64Array(slots);
    this.#logitRows = createInt64Array(slots);
    this.#targets = createInt64Array(slots);
    this.#visible = { reply: new Int32Array(slots), prompt: new Int32Array(slots) };
    for (let row = 0; row < slots; row += 1) this.#logitRows.set(row, row);
    this.#bias = new Float32Array(0);
    this.reset();
  }

  /** To be called when a width has changed. */
  reset(): void {
    this.#byRows = [];
    this.#byPrompts = [];
    this.#current = null;
    this.#visible.reply.fill(0);
    this.#visible.prompt.fill(0);
    const { slots } = this.#caches.replies;
    this.#bias = new Float32Array(slots * this.#stride).fill(HIDDEN);
    // The new token comes first, and sees itself.
    for (let slot = 0; slot < slots; slot += 1) this.#bias[slot * this.#stride] = 0;
  }

  /** @param rows in the reply slots 0..n-1, in order; their prompts are all of the prompt slots 0..m-1. */
  fill(rows: readonly DecodeRow[]): Feeds {
    const ofPrompt = 1 + replyScoresFor(this.#caches.replies.width);
    rows.forEach((row, index) => {
      this.#ids.set(index, row.token);
      this.#positions.set(index, row.prompt.length + row.position);
      const start = index * this.#stride;
      this.#show(this.#visible.reply, index, { start: start + 1, count: row.position });
      this.#show(this.#visible.prompt, index, { start: start + ofPrompt, count: row.prompt.length });
    });
    const current = this.#current;
    const isSame =
      current?.promptSlots.length === rows.length &&
      rows.every(({ prompt }, index) => prompt.slot === current.promptSlots[index]);
    if (isSame) return current.feeds;
    const promptSlots = rows.map(({ prompt }) => prompt.slot);
    const feeds = this.#feeds(promptSlots);
    this.#current = { promptSlots, feeds };
    return feeds;
  }

  get #stride(): number {
    return 1 + replyScoresFor(this.#caches.replies.width) + this.#caches.prompts.width;
  }

  #show(visible: Int32Array, row: number, { start, count }: { start: number; count: number }): void {
    const shown = visible[row]!;
    if (shown === count) return;
    this.#bias.fill(
      count > shown ? 0 : HIDDEN,
      start + Math.min(shown, count),
      start + Math.max(shown, count),
    );
    visible[row] = count;
  }

  #feeds(promptSlots: readonly number[]): Feeds {
    const { prompts, heads } = this.#caches;
    const { kvHeads } = prompts.shape;
    const batch = promptSlots.length;
    const sharing = sharePrompts(promptSlots, { kvHeads, group: heads / kvHeads });
    assert(sharing.isGapless, 'the prompts of a batch are in the first slots');
    this.#byRows[batch] ??= this.#rowTensors(batch);
    this.#byPrompts[sharing.prompts] ??= kvTensors(prompts, sharing.prompts, 'prompts');
    return {
      ...this.#byRows[batch],
      ...this.#byPrompts[sharing.prompts],
      [graphInputs.toPrompts]: new Tensor('int64', sharing.toPrompts.data, sharing.toPrompts.dims),
      [graphInputs.fromPrompts]: new Tensor('int64', sharing.fromPrompts.data, sharing.fromPrompts.dims),
    };
  }

  #rowTensors(batch: number): Feeds {
    const stride = this.#stride;
    const ints = (array: Int64Array, dims: number[]) =>
      new Tensor('int64', array.data.subarray(0, batch), dims);
    return {
      [graphInputs.inputIds]: ints(this.#ids, [batch, 1]),
      [graphInputs.positionIds]: ints(this.#positions, [batch, 1]),
      [graphInputs.logitRows]: ints(this.#logitRows, [batch]),
      [graphInputs.targetIds]: ints(this.#targets, [batch]),
      [graphInputs.bias]: new Tensor('float32', this.#bias.subarray(0, batch * stride), [
        batch,
        1,
        1,
        1,
        stride,
      ]),
      ...kvTensors(this.#caches.replies, batch, 'replies'),
    };
  }
}

const kvNames = {
  replies: { key: graphInputs.replyKey, value: graphInputs.replyValue },
  prompts: { key: graphInputs.promptKey, value: graphInputs.promptValue },
} as const;

/** Tensors over the first `slots` slots, keys and values of each layer. */
export function kvTensors(kv: KvTarget, slots: number, contents: KvContents): Feeds {
  const { kvHeads, headSize } = kv.shape;
  const { width } = kv;
  const blocks = slots * kvHeads;
  const names = kvNames[contents];
  const length = blocks * headSize * width;
  const feeds: Feeds = {};
  kv.keys.forEach((keys, layer) => {
    const values = kv.values[layer]!;
    const [key, value] = [keys.subarray(0, length), values.subarray(0, length)];
    feeds[names.key(layer)] = new Tensor('float32', key, [blocks, headSize, width]);
    feeds[names.value(layer)] = new Tensor('float32', value, [blocks, width, headSize]);
  });
  return feeds;
}
