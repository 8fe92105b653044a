import assert from 'node:assert/strict';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ForwardRow, ModelRunner, RowLogits, RunnerLimits } from '../engine/model-runner.ts';
import { DecodeFeeds, type Feeds } from './decode-feeds.ts';
import { graphOutputs } from './graph-contract.ts';
import { toInt32 } from './int64-array.ts';
import { KvBuffers, type KvShape } from './kv-buffers.ts';
import { PromptFeeds } from './prompt-feeds.ts';
import { verifyRuntime } from './self-test.ts';
import { openSession } from './session.ts';

/** Tokens of one run of `scoreTokens`: bounds the logits (tokens x vocabulary) that exist at once. */
const SCORE_CHUNK_TOKENS = 128;

const WARM_UP_TOKENS = 32;

export interface OnnxRunnerOptions {
  readonly graphPath: string;
  readonly shape: KvShape;
  /** Logits per row that the graph returns. */
  readonly topK: number;
  /** Threads of the session. */
  readonly threads: number;
  /** Sequences held at once. */
  readonly slots: number;
  /** Tokens a slot can hold. */
  readonly positions: number;
}

/** @throws when the runtime cannot load the graph. */
export async function openOnnxRunner(options: OnnxRunnerOptions): Promise<OnnxRunner> {
  return new OnnxRunner(await openSession(options.graphPath, options.threads), options);
}

const LOGIT_OUTPUTS = [graphOutputs.topValues, graphOutputs.topIds, graphOutputs.logSumExp] as const;
const DECODE_FETCHES = [...LOGIT_OUTPUTS, graphOutputs.newKv];
const SILENT_FETCHES = [graphOutputs.newKv];
const SCORE_FETCHES = [graphOutputs.targetLogProb, graphOutputs.newKv];

/** ModelRunner over the graph of graph-contract.ts on the CPU. Passes run one after another. */
export class OnnxRunner implements ModelRunner {
  readonly limits: RunnerLimits;
  readonly #session: InferenceSession;
  readonly #shape: KvShape;
  readonly #kv: KvBuffers;
  readonly #decodeFeeds: DecodeFeeds;
  readonly #promptFeeds: PromptFeeds;
  #isRunning = false;

  constructor(session: InferenceSession, options: OnnxRunnerOptions) {
    const { slots, positions, shape, topK } = options;
    this.limits = { slots, positions, topK };
    this.#session = session;
    this.#shape = shape;
    this.#kv = new KvBuffers(shape, { slots, positions });
    this.#decodeFeeds = new DecodeFeeds(this.#kv);
    this.#promptFeeds = new PromptFeeds(this.#kv);
  }

  async forward(rows: readonly ForwardRow[]): Promise<readonly (RowLogits | null)[]> {
    assert(!this.#isRunning, 'passes run one after another');
    this.#isRunning = true;
    try {
      for (const row of rows) {
        assert(row.tokens.length > 0, 'a row has tokens');
        assert(row.position + row.tokens.length <= this.limits.positions, 'a row fits its slot');
      }
      const widthChanged = this.#kv.prepare(rows.map(extentOf));
      if (widthChanged) this.#decodeFeeds.reset();
      const results = new Map<ForwardRow, RowLogits | null>();
      await this.#decode(
        rows.filter((row) => row.tokens.length === 1),
        results,
      );
      for (const row of rows) if (row.tokens.length > 1) results.set(row, await this.#prefill(row));
      return rows.map((row) => results.get(row) ?? null);
    } finally {
      this.#isRunning = false;
    }
  }

  copySlot(from: number, to: number, length: number): void {
    this.#kv.copy(from, to, length);
  }

  async scoreTokens(tokens: Int32Array): Promise<Float64Array> {
    const count = Math.max(0, tokens.length - 1);
    const scores = new Float64Array(count);
    const kv = new KvBuffers(this.#shape, { slots: 1, positions: count });
    const feeds = new PromptFeeds(kv);
    for (let start = 0; start < count; start += SCORE_CHUNK_TOKENS) {
      const end = Math.min(start + SCORE_CHUNK_TOKENS, count);
      const extent = { slot: 0, position: start, count: end - start };
      kv.prepare([extent]);
      const outputs = await this.#run(
        feeds.fill({
          slot: 0,
          position: start,
          tokens: tokens.subarray(start, end),
          logitRows: Array.from({ length: end - start }, (_, i) => i),
          targets: tokens.subarray(start + 1, end + 1),
        }),
        SCORE_FETCHES,
      );
      kv.write(floats(outputs[graphOutputs.newKv]), 0, extent);
      scores.set(floats(outputs[graphOutputs.targetLogProb]), start);
    }
    return scores;
  }

  /**
   * Checks the runtime (see self-test.ts), then runs a prompt and batches of one and of all slots, so that the first
   * person who writes does not wait for memory and threads to be made. Returns what the check found worth a note.
   */
  async warmUp(): Promise<readonly string[]> {
    const notes = await verifyRuntime(this.#session, this.#shape);
    const { slots, positions } = this.limits;
    const prompt = new Int32Array(Math.min(WARM_UP_TOKENS, positions));
    await this.forward([{ slot: 0, position: 0, tokens: prompt, wantsLogits: true }]);
    for (const batch of [1, slots]) {
      const rows = Array.from({ length: batch }, (_, slot) => ({ slot, position: 0 }));
      await this.forward(rows.map((row) => ({ ...row, tokens: prompt.subarray(0, 1), wantsLogits: true })));
    }
    return notes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  async #decode(rows: readonly ForwardRow[], results: Map<ForwardRow, RowLogits | null>): Promise<void> {
    if (rows.length === 0) return;
    rows.forEach((row, index) => {
      assert(row.slot === index, 'one-token rows are in the slots 0..n-1');
    });
    const outputs = await this.#run(this.#decodeFeeds.fill(rows), DECODE_FETCHES);
    const newKv = floats(outputs[graphOutputs.newKv]);
    const perRow = newKv.length / rows.length;
    rows.forEach((row, index) => {
      this.#kv.write(newKv, index * perRow, extentOf(row));
      results.set(row, row.wantsLogits ? readLogits(outputs, index) : null);
    });
  }

  async #prefill(row: ForwardRow): Promise<RowLogits | null> {
    // Also when nobody wants logits: a run with no logit row at all kills the process (division by zero in TopK).
    const logitRows = [row.tokens.length - 1];
    const outputs = await this.#run(
      this.#promptFeeds.fill({ ...row, logitRows }),
      row.wantsLogits ? DECODE_FETCHES : SILENT_FETCHES,
    );
    this.#kv.write(floats(outputs[graphOutputs.newKv]), 0, extentOf(row));
    return row.wantsLogits ? readLogits(outputs, 0) : null;
  }

  #run(feeds: Feeds, fetches: readonly string[]): Promise<InferenceSession.OnnxValueMapType> {
    return this.#session.run(feeds, fetches);
  }
}

function extentOf({ slot, position, tokens }: ForwardRow): { slot: number; position: number; count: number } {
  return { slot, position, count: tokens.length };
}

/** Outputs are fresh arrays in every run (self-test.ts makes sure), so a view of them may be kept. */
function readLogits(outputs: InferenceSession.OnnxValueMapType, row: number): RowLogits {
  const values = floats(outputs[graphOutputs.topValues]);
  const logSumExp = floats(outputs[graphOutputs.logSumExp]);
  const topK = values.length / logSumExp.length;
  const ids = (outputs[graphOutputs.topIds] as Tensor).data as BigInt64Array;
  return {
    values: values.subarray(row * topK, (row + 1) * topK),
    ids: toInt32(ids, row * topK, (row + 1) * topK),
    logSumExp: logSumExp[row]!,
  };
}

function floats(output: unknown): Float32Array {
  return (output as Tensor).data as Float32Array;
}
