/**
 * A model without weights: the logits of a slot are a pure function of the tokens in its own cache, which is
 * written and copied like that of a real runner. A row that reads another slot, a wrong position or a
 * cache that was not moved along gets other logits, and its text tells.
 *
 * What the contract of `ModelRunner` forbids is not thrown, since an engine survives runners that throw; it is
 * kept in `violations`, which tests expect to stay empty.
 */
import type {
  ForwardRow,
  ModelRunner,
  RowLogits,
  RunnerLimits,
  Vocabulary,
} from '../../src/engine/model-runner.ts';

const utf8 = new TextEncoder();
const bytes = (...values: number[]) => Uint8Array.from(values);

/** Pieces that put the text path to the test: split code points, broken bytes, white space, parts of stop strings. */
const PIECES: readonly Uint8Array[] = [
  bytes(), // 0: ends the reply
  bytes(), // 1: a special token that is no text
  bytes(), // 2: poison, see `POISON`
  ...[
    'a',
    'b',
    'ab',
    'abc',
    'c',
    ' ',
    '  ',
    '\n',
    ' a',
    'b ',
    'Per',
    'son',
    ' A',
    ':',
    'Person',
    '.',
    ' hello',
  ].map((piece) => utf8.encode(piece)),
  ...['é', '漢', '😀', '\u{1F469}\u200D', '\uFFFD', '\u00A0', '\uFEFF', '<', '<|', '|>'].map((piece) =>
    utf8.encode(piece),
  ),
  bytes(0xc3), // first half of many letters
  bytes(0xa9), // second half
  bytes(0xf0, 0x9f),
  bytes(0x98, 0x80),
  bytes(0x98),
  bytes(0xff),
  bytes(0xed, 0xa0, 0x80), // a lone surrogate
  bytes(0xe6, 0xbc),
  bytes(0xa2, 0x61),
  bytes(0x80),
];

export const END = 0;
/** Once in the cache of a slot, some of the slot's logits are NaN; which ones, its tokens decide. */
export const POISON = 2;

export const scriptedVocabulary: Vocabulary = {
  size: PIECES.length,
  tokenBytes: (id) => PIECES[id]!,
  isEnd: (id) => id === END,
};

export const SCRIPTED_TOP_K = 16;

export interface ScriptedRunnerOptions {
  readonly slots?: number;
  readonly positions?: number;
  /** Called in each pass before anything else; it may throw, or act upon the engine while a step runs. */
  readonly onPass?: (rows: readonly ForwardRow[], pass: number) => void;
}

/** What the cache holds instead of keys and values: a digest of all tokens up to a position. */
interface Slot {
  readonly digests: Uint32Array;
  readonly poisoned: Uint8Array;
  written: number;
}

export class ScriptedRunner implements ModelRunner {
  readonly limits: RunnerLimits;
  readonly violations: string[] = [];
  /** Rows of each pass so far, failed ones too. */
  readonly passes: (readonly ForwardRow[])[] = [];
  copies = 0;

  readonly #slots: readonly Slot[];
  readonly #onPass: (rows: readonly ForwardRow[], pass: number) => void;

  constructor({ slots = 4, positions = 96, onPass = () => {} }: ScriptedRunnerOptions = {}) {
    this.limits = { slots, positions, topK: SCRIPTED_TOP_K };
    this.#onPass = onPass;
    this.#slots = Array.from({ length: slots }, () => ({
      digests: new Uint32Array(positions),
      poisoned: new Uint8Array(positions),
      written: 0,
    }));
  }

  async forward(rows: readonly ForwardRow[]): Promise<readonly (RowLogits | null)[]> {
    this.passes.push(rows);
    this.#checkBatch(rows);
    const logits = rows.map((row) => this.#append(row));
    await Promise.resolve();
    try {
      this.#onPass(rows, this.passes.length - 1);
    } catch (error) {
      // A pass that fails half-way leaves rubbish behind the committed tokens, and may.
      for (const { slot, position, tokens } of rows) {
        this.#slots[slot]!.digests.fill(0xdead, position, position + tokens.length);
      }
      throw error;
    }
    return logits;
  }

  copySlot(from: number, to: number, length: number): void {
    const source = this.#slots[from]!;
    const target = this.#slots[to]!;
    if (length > source.written)
      this.violations.push(`copies ${length} of ${source.written} from slot ${from}`);
    if (from === to) this.violations.push(`copies slot ${from} over itself`);
    target.digests.set(source.digests.subarray(0, length));
    target.digests.fill(0xdead, length);
    target.poisoned.set(source.poisoned.subarray(0, length));
    target.written = length;
    this.copies++;
  }

  async scoreTokens(tokens: Int32Array): Promise<Float64Array> {
    const scores = new Float64Array(tokens.length - 1);
    for (let index = 1; index < tokens.length; index++) {
      const all = scriptedDistribution(digestOf(tokens.subarray(0, index)));
      scores[index - 1] = all.logits[tokens[index]!]! - all.logSumExp;
    }
    return scores;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #append({ slot: index, position, tokens, wantsLogits }: ForwardRow): RowLogits | null {
    const slot = this.#slots[index];
    if (slot === undefined || tokens.length === 0 || position + tokens.length > this.limits.positions) {
      this.violations.push(`row of ${tokens.length} tokens at ${position} in slot ${index}`);
      return null;
    }
    if (position > slot.written) this.violations.push(`slot ${index} has a hole before position ${position}`);
    let digest = position === 0 ? 0 : slot.digests[position - 1]!;
    let poisoned = position === 0 ? 0 : slot.poisoned[position - 1]!;
    tokens.forEach((token, offset) => {
      digest = mix(digest, token);
      if (token === POISON) poisoned = 1;
      slot.digests[position + offset] = digest;
      slot.poisoned[position + offset] = poisoned;
    });
    slot.written = position + tokens.length;
    if (!wantsLogits) return null;
    return scriptedLogits(digest, poisoned === 1);
  }

  #checkBatch(rows: readonly ForwardRow[]): void {
    const batch = rows.filter(({ tokens }) => tokens.length === 1).map(({ slot }) => slot);
    if (batch.some((slot, place) => slot !== place)) this.violations.push(`the batch has the slots ${batch}`);
  }
}

/** Digest of tokens from the beginning of a slot. */
export function digestOf(tokens: Iterable<number>): number {
  let digest = 0;
  for (const token of tokens) digest = mix(digest, token);
  return digest;
}

export function scriptedLogits(digest: number, poisoned: boolean): RowLogits {
  const { logits, logSumExp } = scriptedDistribution(digest);
  const ids = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const top = ids.slice(0, SCRIPTED_TOP_K);
  const values = Float32Array.from(top, (id) => logits[id]!);
  if (poisoned && mix(digest, 77) % 5 === 0) values[digest % SCRIPTED_TOP_K] = Number.NaN;
  return { values, ids: Int32Array.from(top), logSumExp };
}

function scriptedDistribution(digest: number): { logits: Float32Array; logSumExp: number } {
  const logits = new Float32Array(PIECES.length);
  let sum = 0;
  for (let id = 0; id < logits.length; id++) {
    // Steps of 1/4: ties are common.
    logits[id] = id === POISON ? -12 : Math.floor((mix(digest, id + 1000) / 2 ** 32) * 24) / 4 - 2;
    sum += Math.exp(logits[id]!);
  }
  return { logits, logSumExp: Math.fround(Math.log(sum)) };
}

function mix(digest: number, value: number): number {
  let mixed = Math.imul(digest ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(value + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
