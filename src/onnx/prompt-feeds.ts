import { Tensor } from 'onnxruntime-node';
import { type Feeds, HIDDEN } from './decode-feeds.ts';
import { graphInputs } from './graph-contract.ts';
import { createInt64Array } from './int64-array.ts';
import { type KvBuffers, type KvShape, type KvTarget, widthFor } from './kv-buffers.ts';

/** Several new tokens of one slot. */
export interface PromptChunk {
  readonly slot: number;
  readonly position: number;
  readonly tokens: Int32Array;
  /** Which of `tokens` get logits: the index of each. */
  readonly logitRows: readonly number[];
  /** The token that comes after each of `logitRows`, where its log-probability is wanted. */
  readonly targets?: Int32Array;
}

/**
 * Inputs of a run over a prompt, or a further piece of one. The past is copied out of the slot, padded to a
 * width that follows from `position` and the number of tokens alone: what a prompt yields must not depend on the
 * width that the neighbours happen to have.
 */
export class PromptFeeds {
  readonly #kv: KvBuffers;
  #past: KvTarget;

  constructor(kv: KvBuffers) {
    this.#kv = kv;
    this.#past = createTarget(kv.shape, 0);
  }

  fill(chunk: PromptChunk): Feeds {
    const count = chunk.tokens.length;
    const width = chunk.position === 0 ? 0 : pastWidth(chunk.position, count);
    if (width > capacity(this.#past, this.#kv.shape)) {
      this.#past = createTarget(this.#kv.shape, Math.max(width, this.#kv.width));
    }
    const past: KvTarget = { ...this.#past, width };
    if (width > 0) this.#kv.extract(chunk.slot, chunk.position, past);
    return { ...this.#inputs(chunk, width), ...this.#pastTensors(past) };
  }

  #inputs(chunk: PromptChunk, width: number): Feeds {
    const count = chunk.tokens.length;
    const logits = chunk.logitRows.length;
    const ids = createInt64Array(count);
    const positions = createInt64Array(count);
    const rows = createInt64Array(logits);
    const targets = createInt64Array(logits);
    chunk.tokens.forEach((token, i) => {
      ids.set(i, token);
      positions.set(i, chunk.position + i);
    });
    chunk.logitRows.forEach((row, i) => {
      rows.set(i, row);
      targets.set(i, chunk.targets?.[i] ?? 0);
    });
    return {
      [graphInputs.inputIds]: new Tensor('int64', ids.data, [1, count]),
      [graphInputs.positionIds]: new Tensor('int64', positions.data, [1, count]),
      [graphInputs.logitRows]: new Tensor('int64', rows.data, [logits]),
      [graphInputs.targetIds]: new Tensor('int64', targets.data, [logits]),
      [graphInputs.bias]: new Tensor('float32', causalBias(count, chunk.position, width), [
        1,
        1,
        1,
        count,
        count + width,
      ]),
    };
  }

  #pastTensors({ keys, values, width }: KvTarget): Feeds {
    const { kvHeads, headSize, layers } = this.#kv.shape;
    const length = kvHeads * headSize * width;
    const feeds: Feeds = {};
    for (let layer = 0; layer < layers; layer += 1) {
      const key = keys[layer]!.subarray(0, length);
      const value = values[layer]!.subarray(0, length);
      feeds[graphInputs.pastKey(layer)] = new Tensor('float32', key, [1, kvHeads, headSize, width]);
      feeds[graphInputs.pastValue(layer)] = new Tensor('float32', value, [1, kvHeads, width, headSize]);
    }
    return feeds;
  }
}

/** Each token sees itself, the new ones before it, and all of the past. */
function causalBias(count: number, position: number, width: number): Float32Array {
  const stride = count + width;
  const bias = new Float32Array(count * stride).fill(HIDDEN);
  for (let row = 0; row < count; row += 1) {
    bias.fill(0, row * stride, row * stride + row + 1);
    bias.fill(0, row * stride + count, row * stride + count + position);
  }
  return bias;
}

/** The smallest width for the past that makes new tokens and past together a full number of lanes. */
function pastWidth(position: number, count: number): number {
  return widthFor(position + count - 1) + 1 - count;
}

function capacity(target: KvTarget, { kvHeads, headSize }: KvShape): number {
  return target.keys[0]!.length / (kvHeads * headSize);
}

function createTarget({ layers, kvHeads, headSize }: KvShape, width: number): KvTarget {
  const make = () => Array.from({ length: layers }, () => new Float32Array(kvHeads * headSize * width));
  return { keys: make(), values: make(), width };
}
