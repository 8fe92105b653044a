/**
 * A model without weights: the logits of a row are a pure function of the tokens in the slots of its prompt and its reply, which are
 * written and copied like those of a real runner. A row that reads another slot, another prompt, a wrong position or a
 * cache that was not moved along gets other logits, and its text tells.
 *
 * What the contract of `ModelRunner` forbids is not thrown, since an engine survives runners that throw; it is
 * kept in `violations`, which tests expect to stay empty.
 */
import type {
  DecodeRow,
  ModelRunner,
  PrefillRow,
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

/** A row of a pass, of either kind. */
export interface ScriptedRow {
  readonly kind: 'prefill' | 'decode';
  readonly slot: number;
  readonly position: number;
  readonly tokens: readonly number[];
}

export interface ScriptedRunnerOptions {
  readonly slots?: number;
  readonly positions?: number;
  readonly blocks?: number;
  /** As the engine that drives it cuts prompts. */
  readonly blockTokens?: number;
  /** Called in each pass before anything else; it may throw, or act upon the engine while a step runs. */
  readonly onPass?: (rows: readonly ScriptedRow[], pass: number) => void;
}

/** What a cache holds instead of keys and values: the tokens. */
interface Slot {
  readonly tokens: Uint32Array;
  written: number;
}

/** What tokens have led to. */
interface State {
  readonly digest: number;
  readonly isPoisoned: boolean;
}

const EMPTY: State = { digest: 0, isPoisoned: false };

export class ScriptedRunner implements ModelRunner {
  readonly limits: RunnerLimits;
  readonly violations: string[] = [];
  /** Rows of each pass so far, failed ones too. */
  readonly passes: (readonly ScriptedRow[])[] = [];
  copies = 0;

  readonly #prompts: readonly Slot[];
  readonly #replies: readonly Slot[];
  readonly #blocks: (Uint32Array | undefined)[];
  readonly #onPass: (rows: readonly ScriptedRow[], pass: number) => void;

  constructor(options: ScriptedRunnerOptions = {}) {
    const { slots = 4, positions = 96, blocks = 0, blockTokens = 8, onPass = () => {} } = options;
    this.limits = { slots, positions, topK: SCRIPTED_TOP_K, blocks, blockTokens };
    this.#blocks = Array.from({ length: blocks });
    this.#onPass = onPass;
    const create = () =>
      Array.from({ length: slots }, () => ({
        tokens: new Uint32Array(positions),
        written: 0,
      }));
    this.#prompts = create();
    this.#replies = create();
  }

  async prefill({ slot, position, tokens, wantsLogits }: PrefillRow): Promise<RowLogits | null> {
    const row = { kind: 'prefill', slot, position, tokens: [...tokens] } as const;
    return await this.#run([row], () => {
      const end = this.#append(row, EMPTY);
      return wantsLogits ? scriptedLogits(end.digest, end.isPoisoned) : null;
    });
  }

  async decode(rows: readonly DecodeRow[]): Promise<readonly RowLogits[]> {
    const scripted = rows.map(
      ({ slot, position, token }) => ({ kind: 'decode', slot, position, tokens: [token] }) as const,
    );
    return await this.#run(scripted, () => {
      this.#checkBatch(rows);
      return rows.map((row, index) => {
        const end = this.#append(scripted[index]!, this.#endOf(row));
        return scriptedLogits(end.digest, end.isPoisoned);
      });
    });
  }

  copyReply(from: number, to: number, length: number): void {
    this.#copy(this.#replies, { from, to, length });
  }

  copyPrompt(from: number, to: number, length: number): void {
    this.#copy(this.#prompts, { from, to, length });
  }

  saveBlock(block: number, { slot, position }: { slot: number; position: number }): void {
    const source = this.#prompts[slot];
    const end = position + this.limits.blockTokens;
    if (source === undefined || end > source.written || block >= this.limits.blocks) {
      this.violations.push(`saves ${position}-${end} of prompt ${slot} in block ${block}`);
    }
    this.#blocks[block] = source?.tokens.slice(position, end);
  }

  loadBlocks(slot: number, blocks: readonly number[]): void {
    const target = this.#prompts[slot]!;
    blocks.forEach((block, place) => {
      const source = this.#blocks[block];
      if (source === undefined) this.violations.push(`loads block ${block}, which was never saved`);
      else target.tokens.set(source, place * this.limits.blockTokens);
    });
    target.written = blocks.length * this.limits.blockTokens;
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

  async #run<Result>(rows: readonly ScriptedRow[], compute: () => Result): Promise<Result> {
    this.passes.push(rows);
    const result = compute();
    await Promise.resolve();
    try {
      this.#onPass(rows, this.passes.length - 1);
    } catch (error) {
      // A pass that fails half-way leaves rubbish behind the committed tokens, and may.
      for (const row of rows) {
        const end = row.position + row.tokens.length;
        this.#slotOf(row)?.tokens.fill(0xdead, row.position, end);
      }
      throw error;
    }
    return result;
  }

  #slotOf({ kind, slot }: ScriptedRow): Slot | undefined {
    return (kind === 'prefill' ? this.#prompts : this.#replies)[slot];
  }

  #copy(slots: readonly Slot[], { from, to, length }: { from: number; to: number; length: number }): void {
    const source = slots[from]!;
    const target = slots[to]!;
    if (length > source.written)
      this.violations.push(`copies ${length} of ${source.written} from slot ${from}`);
    if (from === to) this.violations.push(`copies slot ${from} over itself`);
    target.tokens.set(source.tokens.subarray(0, length));
    target.tokens.fill(0xdead, length);
    target.written = length;
    this.copies++;
  }

  /** What a row's prompt makes of it. */
  #endOf({ prompt }: DecodeRow): State {
    const slot = this.#prompts[prompt.slot];
    if (slot === undefined || prompt.length < 1 || prompt.length > slot.written) {
      this.violations.push(`a row continues ${prompt.length} tokens of prompt ${prompt.slot}`);
      return EMPTY;
    }
    return readOn(EMPTY, slot.tokens.subarray(0, prompt.length));
  }

  /** Writes a row into its slot. @returns the state after everything that the slot then holds, behind `before`. */
  #append(row: ScriptedRow, before: State): State {
    const { position, tokens } = row;
    const slot = this.#slotOf(row);
    if (slot === undefined || tokens.length === 0 || position + tokens.length > this.limits.positions) {
      this.violations.push(`row of ${tokens.length} tokens at ${position} in slot ${row.slot}`);
      return before;
    }
    if (position > slot.written) this.violations.push(`slot ${row.slot} has a hole before ${position}`);
    slot.tokens.set(tokens, position);
    slot.written = position + tokens.length;
    return readOn(before, slot.tokens.subarray(0, slot.written));
  }

  #checkBatch(rows: readonly DecodeRow[]): void {
    const slots = rows.map(({ slot }) => slot);
    if (slots.some((slot, place) => slot !== place)) this.violations.push(`the batch has the slots ${slots}`);
    const prompts = [...new Set(rows.map(({ prompt }) => prompt.slot))].sort((a, b) => a - b);
    if (prompts.some((slot, place) => slot !== place))
      this.violations.push(`the batch has the prompts ${prompts}`);
  }
}

function readOn({ digest, isPoisoned }: State, tokens: Iterable<number>): State {
  let state = digest;
  let poisoned = isPoisoned;
  for (const token of tokens) {
    state = mix(state, token);
    poisoned ||= token === POISON;
  }
  return { digest: state, isPoisoned: poisoned };
}

/** Digest of a prompt and what follows it. */
export function digestOf(tokens: Iterable<number>): number {
  return readOn(EMPTY, tokens).digest;
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
