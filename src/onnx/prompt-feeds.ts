import { Tensor } from 'onnxruntime-node';
import { type Feeds, HIDDEN, kvTensors } from './decode-feeds.ts';
import { graphInputs } from './graph-contract.ts';
import { createInt64Array } from './int64-array.ts';
import type { KvBuffers, KvShape, KvTarget } from './kv-buffers.ts';

/** The next tokens of a prompt. */
export interface PromptPiece {
  readonly slot: number;
  readonly position: number;
  readonly tokens: Int32Array;
  /** Which of `tokens` get logits: the index of each. */
  readonly logitRows: readonly number[];
  /** The token that comes after each of `logitRows`, where its log-probability is wanted. */
  readonly targets?: Int32Array;
}

export interface PromptShape extends KvShape {
  /** Query heads. */
  readonly heads: number;
}

/**
 * Inputs of a run over a prompt, or a further piece of one: one row without a reply. What is cached of the prompt is copied out
 * of its slot, as wide as it is: what a prompt yields must not depend on the width that its neighbours happen to have.
 */
export class PromptFeeds {
  readonly #kv: KvBuffers;
  readonly #shape: PromptShape;
  readonly #noReply: Feeds;
  #past: KvTarget;

  constructor(kv: KvBuffers, shape: PromptShape) {
    this.#kv = kv;
    this.#shape = shape;
    this.#past = createTarget(kv.shape, kv.width);
    this.#noReply = kvTensors(createTarget(kv.shape, 0), 1, 'replies');
  }

  fill(piece: PromptPiece): Feeds {
    // The graph cannot look lines up in an empty tensor, so the first piece of a prompt sees one hidden position.
    const width = Math.max(1, piece.position);
    if (width > this.#past.width) this.#past = createTarget(this.#kv.shape, this.#kv.width);
    const past = { ...this.#past, width };
    this.#kv.extract({ slot: piece.slot, position: 0, count: piece.position }, past);
    return {
      ...this.#inputs(piece, width),
      ...this.#noReply,
      ...kvTensors(past, 1, 'prompts'),
    };
  }

  #inputs(piece: PromptPiece, width: number): Feeds {
    const { kvHeads, heads } = this.#shape;
    const count = piece.tokens.length;
    const logits = piece.logitRows.length;
    const lines = heads * count;
    const ids = int64s(count, (i) => piece.tokens[i]!);
    const positions = int64s(count, (i) => piece.position + i);
    const rows = int64s(logits, (i) => piece.logitRows[i]!);
    const targets = int64s(logits, (i) => piece.targets?.[i] ?? 0);
    const order = int64s(lines, (i) => i);
    const byHead = [kvHeads, lines / kvHeads];
    return {
      [graphInputs.inputIds]: new Tensor('int64', ids, [1, count]),
      [graphInputs.positionIds]: new Tensor('int64', positions, [1, count]),
      [graphInputs.logitRows]: new Tensor('int64', rows, [logits]),
      [graphInputs.targetIds]: new Tensor('int64', targets, [logits]),
      [graphInputs.toPrompts]: new Tensor('int64', order, byHead),
      [graphInputs.fromPrompts]: new Tensor('int64', order, byHead),
      [graphInputs.bias]: causalBias(count, piece.position, width),
    };
  }
}

function int64s(length: number, valueAt: (index: number) => number): BigInt64Array {
  const array = createInt64Array(length);
  for (let i = 0; i < length; i += 1) array.set(i, valueAt(i));
  return array.data;
}

/** Each token sees itself, the new ones before it, and all of the past. */
function causalBias(count: number, position: number, width: number): Tensor {
  const stride = count + width;
  const bias = new Float32Array(count * stride).fill(HIDDEN);
  for (let row = 0; row < count; row += 1) {
    bias.fill(0, row * stride, row * stride + row + 1);
    bias.fill(0, row * stride + count, row * stride + count + position);
  }
  return new Tensor('float32', bias, [1, 1, 1, count, stride]);
}

function createTarget(shape: KvShape, width: number): KvTarget {
  const { layers, kvHeads, headSize } = shape;
  const make = () => Array.from({ length: layers }, () => new Float32Array(kvHeads * headSize * width));
  return { shape, keys: make(), values: make(), width };
}
