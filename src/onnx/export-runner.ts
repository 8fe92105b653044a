import assert from 'node:assert/strict';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { DecodeRow, PrefillRow, RowLogits, RunnerLimits } from '../engine/model-runner.ts';
import { type CachedBatch, type ExportCache, emptyBatch, type HeldRow, HeldRows } from './export-cache.ts';
import { exportInputs, exportOutputs } from './export-contract.ts';
import type { KvShape } from './kv-buffers.ts';
import type { LoadedRunner } from './loaded-runner.ts';
import { ROWS_DIFFER } from './self-test.ts';
import { logProbability, topLogits } from './top-logits.ts';

/** Tokens of one run of `scoreTokens`: bounds the logits (tokens x vocabulary) that exist at once. */
const SCORE_CHUNK_TOKENS = 128;

/** A slot that took part in none of the last so many passes is forgotten: see ModelRunner. */
const IDLE_PASSES_MAX = 64;

const ONE_BY_ONE =
  'In this model one reply of a batch changes the others (its activations have one scale for all), so replies are computed one by one. Convert the original checkpoint for speed.';

export interface ExportRunnerOptions {
  readonly shape: KvShape;
  /** Logits kept per row. */
  readonly topK: number;
  /** Replies held at once, and as many prompts. */
  readonly slots: number;
  /** Tokens of a prompt and its reply together. */
  readonly positions: number;
}

interface ExportPass {
  readonly past: CachedBatch;
  /** One list a row, all of one length. */
  readonly tokens: readonly Int32Array[];
  /** How many of the last tokens get logits. */
  readonly logitsOf: number;
}

/**
 * ModelRunner over a graph of export-contract.ts: any decoder as the Hub has it. Slower than a graph of our own, since every run returns
 * the whole cache. Rows of one length run as one batch, which the candidates of a prompt are; nothing is padded.
 */
export class ExportRunner implements LoadedRunner {
  readonly limits: RunnerLimits;
  readonly #session: InferenceSession;
  readonly #cache: ExportCache;
  readonly #shape: KvShape;
  readonly #inputs: ReadonlySet<string>;
  readonly #prompts: HeldRows;
  readonly #replies: HeldRows;
  #isBatching = true;
  #isRunning = false;

  /** @throws Error with one sentence when the graph is no decoder of this layout. */
  constructor(
    session: InferenceSession,
    cache: ExportCache,
    { shape, topK, slots, positions }: ExportRunnerOptions,
  ) {
    this.limits = { slots, positions, topK, blocks: 0, blockTokens: 1 };
    this.#session = session;
    this.#cache = cache;
    this.#shape = shape;
    this.#inputs = new Set(session.inputNames);
    checkGraph(session, shape);
    this.#prompts = new HeldRows(slots, IDLE_PASSES_MAX);
    this.#replies = new HeldRows(slots, IDLE_PASSES_MAX);
  }

  async prefill({ slot, position, tokens, wantsLogits }: PrefillRow): Promise<RowLogits | null> {
    assert(tokens.length > 0, 'a piece of a prompt has tokens');
    assert(position + tokens.length <= this.limits.positions, 'a prompt fits its slot');
    const past =
      position === 0
        ? emptyBatch(this.#shape, 1)
        : await this.#cache.gather([this.#prompts.get(slot)], position);
    const { logits, present } = await this.#run({ past, tokens: [tokens], logitsOf: 1 });
    this.#prompts.set(slot, { batch: present, row: 0 });
    this.#age();
    return wantsLogits ? topLogits(logits.at(-1)!, this.limits.topK) : null;
  }

  async decode(rows: readonly DecodeRow[]): Promise<readonly RowLogits[]> {
    assert(rows.length > 0, 'a batch has rows');
    const results: RowLogits[] = new Array(rows.length);
    const written: HeldRow[] = new Array(rows.length);
    for (const { prompt } of rows) this.#prompts.get(prompt.slot);
    for (const group of this.#groups(rows)) {
      const held = group.rows.map((index) => this.#pastOf(rows[index]!));
      const past = await this.#cache.gather(held, group.length);
      const tokens = group.rows.map((index) => Int32Array.of(rows[index]!.token));
      const { logits, present } = await this.#run({ past, tokens, logitsOf: 1 });
      group.rows.forEach((index, row) => {
        results[index] = topLogits(logits[row]!, this.limits.topK);
        written[index] = { batch: present, row };
      });
    }
    // Only now: a pass that fails half-way must leave every slot as it was.
    rows.forEach(({ slot }, index) => {
      this.#replies.set(slot, written[index]!);
    });
    this.#age();
    return results;
  }

  copyReply(from: number, to: number, _length: number): void {
    this.#replies.set(to, this.#replies.get(from));
  }

  copyPrompt(from: number, to: number, _length: number): void {
    this.#prompts.set(to, this.#prompts.get(from));
  }

  saveBlock(): void {
    throw new Error('This runner keeps no blocks: its limits say so.');
  }

  loadBlocks(): void {
    throw new Error('This runner keeps no blocks: its limits say so.');
  }

  async scoreTokens(tokens: Int32Array): Promise<Float64Array> {
    const scores = new Float64Array(Math.max(0, tokens.length - 1));
    let past = emptyBatch(this.#shape, 1);
    for (let from = 0; from < scores.length; from += SCORE_CHUNK_TOKENS) {
      const chunk = tokens.subarray(from, Math.min(from + SCORE_CHUNK_TOKENS, scores.length));
      const { logits, present } = await this.#run({ past, tokens: [chunk], logitsOf: chunk.length });
      logits.forEach((row, place) => {
        scores[from + place] = logProbability(row, tokens[from + place + 1]!);
      });
      past = present;
    }
    this.#forget();
    return scores;
  }

  async scoreContinuations(
    prompt: Int32Array,
    continuations: readonly Int32Array[],
  ): Promise<readonly Float64Array[]> {
    const scores: Float64Array[] = [];
    for (const continuation of continuations) {
      const whole = await this.scoreTokens(Int32Array.of(...prompt, ...continuation));
      scores.push(whole.slice(prompt.length - 1));
    }
    return scores;
  }

  /** Runs two rows together and alone: where they differ by more than the device rounds, none share a batch from then on. */
  async warmUp(): Promise<readonly string[]> {
    const tokens = [Int32Array.of(1, 2, 3), Int32Array.of(3, 1, 2)];
    const past = emptyBatch(this.#shape, tokens.length);
    const { logits } = await this.#run({ past, tokens, logitsOf: 1 });
    let difference = 0;
    for (const [row, own] of tokens.entries()) {
      const alone = await this.#run({ past: emptyBatch(this.#shape, 1), tokens: [own], logitsOf: 1 });
      difference = Math.max(difference, differenceOf(logits[row]!, alone.logits[0]!));
    }
    this.#forget();
    this.#isBatching = difference <= this.#cache.rounding;
    if (!this.#isBatching) return [ONE_BY_ONE];
    return difference === 0 ? [] : [ROWS_DIFFER];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cache[Symbol.asyncDispose]();
    await this.#session.release();
  }

  /** Indices of rows that can run together: those of one length, and where the cache cannot join batches of one batch. */
  #groups(rows: readonly DecodeRow[]) {
    const groups: { readonly length: number; readonly rows: number[]; readonly batch: CachedBatch }[] = [];
    rows.forEach(({ position, prompt }, index) => {
      const length = prompt.length + position;
      assert(length < this.limits.positions, 'a reply fits its slot');
      const { batch } = this.#pastOf(rows[index]!);
      const isCompanion = (one: (typeof groups)[number]) =>
        this.#isBatching && one.length === length && (this.#cache.joins || one.batch === batch);
      const group = groups.find(isCompanion);
      if (group === undefined) groups.push({ length, rows: [index], batch });
      else group.rows.push(index);
    });
    return groups;
  }

  #pastOf({ slot, position, prompt }: DecodeRow): HeldRow {
    return position === 0 ? this.#prompts.get(prompt.slot) : this.#replies.get(slot);
  }

  #age(): void {
    this.#prompts.age();
    this.#replies.age();
    this.#forget();
  }

  #forget(): void {
    this.#cache.keepOnly(new Set([...this.#prompts.batches(), ...this.#replies.batches()]));
  }

  /** @returns the logits, row by row and within one position by position. */
  async #run(pass: ExportPass): Promise<{ logits: Float32Array[]; present: CachedBatch }> {
    assert(!this.#isRunning, 'passes run one after another');
    this.#isRunning = true;
    try {
      const outputs = await this.#session.run(this.#feeds(pass));
      const present = readCache(outputs, pass, this.#shape);
      this.#cache.adopt(present);
      return { logits: readLogits(outputs, pass), present };
    } finally {
      this.#isRunning = false;
    }
  }

  #feeds({ past, tokens, logitsOf }: ExportPass): Record<string, Tensor> {
    const [rows, count, total] = [tokens.length, tokens[0]!.length, past.length + tokens[0]!.length];
    const ints = (dims: number[], of: (row: number, column: number) => number) => {
      const [height, width] = [dims[0]!, dims[1]!];
      const data = BigInt64Array.from({ length: height * width }, (_, at) =>
        BigInt(of(Math.floor(at / width), at % width)),
      );
      return new Tensor('int64', data, dims);
    };
    const feeds: Record<string, Tensor> = {
      [exportInputs.inputIds]: ints([rows, count], (row, column) => tokens[row]![column]!),
      [exportInputs.attentionMask]: ints([rows, total], () => 1),
      [exportInputs.positionIds]: ints([rows, count], (_, column) => past.length + column),
      [exportInputs.logitsToKeep]: new Tensor('int64', BigInt64Array.of(BigInt(logitsOf)), []),
    };
    past.keys.forEach((keys, layer) => {
      feeds[exportInputs.pastKey(layer)] = keys;
      feeds[exportInputs.pastValue(layer)] = past.values[layer]!;
    });
    return Object.fromEntries(Object.entries(feeds).filter(([name]) => this.#inputs.has(name)));
  }
}

function readLogits(
  outputs: InferenceSession.OnnxValueMapType,
  { tokens, logitsOf }: ExportPass,
): Float32Array[] {
  const { data, dims } = outputs[exportOutputs.logits] as Tensor;
  const [positions = 0, vocabulary = 0] = dims.slice(1);
  return tokens.flatMap((_, row) =>
    Array.from({ length: logitsOf }, (_, place) => {
      const position = row * positions + positions - logitsOf + place;
      return (data as Float32Array).subarray(position * vocabulary, (position + 1) * vocabulary);
    }),
  );
}

function readCache(
  outputs: InferenceSession.OnnxValueMapType,
  { past, tokens }: ExportPass,
  { layers }: KvShape,
): CachedBatch {
  const part = (name: (layer: number) => string) =>
    Array.from({ length: layers }, (_, layer) => outputs[name(layer)] as Tensor);
  return {
    rows: tokens.length,
    length: past.length + tokens[0]!.length,
    keys: part(exportOutputs.presentKey),
    values: part(exportOutputs.presentValue),
  };
}

/** @throws Error that says what this graph lacks or wants beyond the layout. */
function checkGraph(session: InferenceSession, { layers }: KvShape): void {
  const { inputIds, attentionMask, positionIds, logitsToKeep, pastKey, pastValue } = exportInputs;
  const needed: string[] = [inputIds, attentionMask];
  for (let layer = 0; layer < layers; layer += 1) needed.push(pastKey(layer), pastValue(layer));
  const known = new Set<string>([...needed, positionIds, logitsToKeep]);
  const missing = needed.find((name) => !session.inputNames.includes(name));
  if (missing !== undefined) throw new Error(`The graph is no exported decoder: it has no input ${missing}.`);
  const foreign = session.inputNames.find((name) => !known.has(name));
  if (foreign !== undefined) throw new Error(`The graph has an input ${foreign}, which is not supported.`);
  for (const value of [...session.inputMetadata, ...session.outputMetadata]) {
    if (!value.isTensor || value.type === 'float32' || value.type === 'int64') continue;
    throw new Error(
      `The graph has ${value.name} in ${value.type}; use a variant with a float32 cache, such as model.onnx or model_quantized.onnx.`,
    );
  }
}

/** The largest difference of two logits, in units of the largest logit. */
function differenceOf(left: Float32Array, right: Float32Array): number {
  let difference = 0;
  let largest = Number.MIN_VALUE;
  for (let i = 0; i < left.length; i += 1) {
    difference = Math.max(difference, Math.abs(left[i]! - right[i]!));
    largest = Math.max(largest, Math.abs(left[i]!));
  }
  return difference / largest;
}
