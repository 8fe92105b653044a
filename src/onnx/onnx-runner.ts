import assert from 'node:assert/strict';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { DecodeRow, PrefillRow, RowLogits, RunnerLimits } from '../engine/model-runner.ts';
import { DecodeFeeds } from './decode-feeds.ts';
import { graphOutputs } from './graph-contract.ts';
import { toInt32 } from './int64-array.ts';
import { KvBuffers } from './kv-buffers.ts';
import type { LoadedRunner } from './loaded-runner.ts';
import { PromptBlocks } from './prompt-blocks.ts';
import { PromptFeeds, type PromptShape } from './prompt-feeds.ts';
import { releaseArray } from './release-array.ts';
import { verifyRuntime } from './self-test.ts';

/** Tokens of one run of `scoreTokens`: bounds the logits (tokens x vocabulary) that exist at once. */
const SCORE_CHUNK_TOKENS = 128;

const WARM_UP_TOKENS = 32;

export interface OnnxRunnerOptions {
  readonly shape: PromptShape;
  /** Logits per row that the graph returns. */
  readonly topK: number;
  /** Replies held at once, and as many prompts. */
  readonly slots: number;
  /** Tokens of a prompt and its reply together. */
  readonly positions: number;
  /** Tokens of each prompt and of each reply for which memory is taken at once. */
  readonly reserved?: { readonly prompt: number; readonly reply: number };
  /** Pieces of prompts kept for later, and their length; none without. */
  readonly kept?: { readonly blocks: number; readonly tokens: number };
}

const LOGIT_OUTPUTS = [graphOutputs.topValues, graphOutputs.topIds, graphOutputs.logSumExp] as const;
const LOGIT_FETCHES = [...LOGIT_OUTPUTS, graphOutputs.newKv];
const SILENT_FETCHES = [graphOutputs.newKv];
const SCORE_FETCHES = [graphOutputs.targetLogProb, graphOutputs.newKv];

/** ModelRunner over the graph of graph-contract.ts on the CPU. Passes run one after another. */
export class OnnxRunner implements LoadedRunner {
  readonly limits: RunnerLimits;
  readonly #session: InferenceSession;
  readonly #shape: PromptShape;
  readonly #replies: KvBuffers;
  readonly #prompts: KvBuffers;
  readonly #blocks: PromptBlocks;
  readonly #decodeFeeds: DecodeFeeds;
  readonly #promptFeeds: PromptFeeds;
  #isRunning = false;

  constructor(session: InferenceSession, options: OnnxRunnerOptions) {
    const { slots, positions, shape, topK } = options;
    const { kept = { blocks: 0, tokens: 1 }, reserved = { prompt: 0, reply: 0 } } = options;
    this.limits = { slots, positions, topK, blocks: kept.blocks, blockTokens: kept.tokens };
    this.#blocks = new PromptBlocks(shape, kept);
    this.#session = session;
    this.#shape = shape;
    const size = { slots, positions };
    this.#replies = new KvBuffers(shape, { contents: 'replies', ...size, reserved: reserved.reply });
    this.#prompts = new KvBuffers(shape, { contents: 'prompts', ...size, reserved: reserved.prompt });
    this.#decodeFeeds = new DecodeFeeds({
      replies: this.#replies,
      prompts: this.#prompts,
      heads: shape.heads,
    });
    this.#promptFeeds = new PromptFeeds(this.#prompts, shape);
  }

  async prefill(row: PrefillRow): Promise<RowLogits | null> {
    const count = row.tokens.length;
    assert(count > 0, 'a piece of a prompt has tokens');
    assert(row.position + count <= this.limits.positions, 'a prompt fits its slot');
    return await this.#alone(async () => {
      const extent = { slot: row.slot, position: row.position, count };
      if (this.#prompts.prepare([extent])) this.#decodeFeeds.reset();
      // Also when nobody wants logits: a run with no logit row at all kills the process (division by zero in TopK).
      const feeds = this.#promptFeeds.fill({ ...row, logitRows: [count - 1] });
      const outputs = await this.#session.run(feeds, row.wantsLogits ? LOGIT_FETCHES : SILENT_FETCHES);
      const newKv = floats(outputs[graphOutputs.newKv]);
      this.#prompts.write(newKv, 0, extent);
      releaseArray(newKv);
      return row.wantsLogits ? readLogits(outputs, 0) : null;
    });
  }

  async decode(rows: readonly DecodeRow[]): Promise<readonly RowLogits[]> {
    assert(rows.length > 0, 'a batch has rows');
    rows.forEach((row, index) => {
      assert(row.slot === index, 'the rows of a batch are in the slots 0..n-1');
      assert(row.prompt.length + row.position < this.limits.positions, 'a reply fits its slot');
    });
    return await this.#alone(async () => {
      const replies = rows.map(({ slot, position }) => ({ slot, position, count: 1 }));
      const prompts = rows.map(({ prompt }) => ({ slot: prompt.slot, position: prompt.length, count: 0 }));
      const isReplyWidthNew = this.#replies.prepare(replies);
      const isPromptWidthNew = this.#prompts.prepare(prompts);
      if (isReplyWidthNew || isPromptWidthNew) this.#decodeFeeds.reset();
      const outputs = await this.#session.run(this.#decodeFeeds.fill(rows), LOGIT_FETCHES);
      const newKv = floats(outputs[graphOutputs.newKv]);
      const perRow = newKv.length / rows.length;
      replies.forEach((extent, index) => {
        this.#replies.write(newKv, index * perRow, extent);
      });
      releaseArray(newKv);
      return rows.map((_, index) => readLogits(outputs, index));
    });
  }

  copyReply(from: number, to: number, length: number): void {
    this.#replies.copy(from, to, length);
  }

  copyPrompt(from: number, to: number, length: number): void {
    this.#prompts.copy(from, to, length);
  }

  saveBlock(block: number, from: { readonly slot: number; readonly position: number }): void {
    this.#blocks.save(block, this.#prompts, from);
  }

  loadBlocks(slot: number, blocks: readonly number[]): void {
    const count = blocks.length * this.limits.blockTokens;
    if (this.#prompts.prepare([{ slot, position: 0, count }])) this.#decodeFeeds.reset();
    this.#blocks.load(blocks, this.#prompts, slot);
  }

  async scoreTokens(tokens: Int32Array): Promise<Float64Array> {
    if (tokens.length < 2) return new Float64Array(0);
    const [scores] = await this.scoreContinuations(tokens.subarray(0, 1), [tokens.subarray(1)]);
    return scores!;
  }

  /**
   * Teacher forcing for several continuations of one prompt, which runs once: the log-probability (natural logarithm) of each of their
   * tokens given the prompt and the tokens before it.
   *
   * @param prompt at least one token
   */
  async scoreContinuations(
    prompt: Int32Array,
    continuations: readonly Int32Array[],
  ): Promise<readonly Float64Array[]> {
    assert(prompt.length > 0, 'something has to come before a continuation');
    // The last token of the prompt runs with each continuation: its logits are those of the first token.
    const shared = prompt.subarray(0, -1);
    const longest = continuations.reduce((most, { length }) => Math.max(most, length), 0);
    const positions = shared.length + longest;
    const kv = new KvBuffers(this.#shape, { contents: 'prompts', slots: 1, positions });
    const feeds = new PromptFeeds(kv, this.#shape);
    await this.#scoreChunks({ kv, feeds }, { start: 0, tokens: shared, targets: null });
    const scores: Float64Array[] = [];
    for (const targets of continuations) {
      const tokens = Int32Array.of(prompt.at(-1)!, ...targets.subarray(0, -1));
      const piece = { start: shared.length, tokens: targets.length > 0 ? tokens : targets, targets };
      scores.push(await this.#scoreChunks({ kv, feeds }, piece));
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
    const tokens = new Int32Array(Math.min(WARM_UP_TOKENS, positions - 1));
    await this.prefill({ slot: 0, position: 0, tokens, wantsLogits: true });
    const prompt = { slot: 0, length: tokens.length };
    for (const batch of [1, slots]) {
      await this.decode(
        Array.from({ length: batch }, (_, slot) => ({ slot, position: 0, token: 0, prompt })),
      );
    }
    return notes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  async #alone<Result>(pass: () => Promise<Result>): Promise<Result> {
    assert(!this.#isRunning, 'passes run one after another');
    this.#isRunning = true;
    try {
      return await pass();
    } finally {
      this.#isRunning = false;
    }
  }

  /** Appends `tokens` to slot 0 of a cache of its own. @returns the log-probability of each target; nothing of use without. */
  async #scoreChunks(
    { kv, feeds }: { kv: KvBuffers; feeds: PromptFeeds },
    { start, tokens, targets }: { start: number; tokens: Int32Array; targets: Int32Array | null },
  ): Promise<Float64Array> {
    const scores = new Float64Array(tokens.length);
    for (let from = 0; from < tokens.length; from += SCORE_CHUNK_TOKENS) {
      const to = Math.min(from + SCORE_CHUNK_TOKENS, tokens.length);
      const extent = { slot: 0, position: start + from, count: to - from };
      kv.prepare([extent]);
      const chunk = { slot: 0, position: start + from, tokens: tokens.subarray(from, to) };
      const outputs = await this.#session.run(
        feeds.fill(
          targets === null
            ? { ...chunk, logitRows: [to - from - 1] }
            : {
                ...chunk,
                logitRows: Array.from({ length: to - from }, (_, i) => i),
                targets: targets.subarray(from, to),
              },
        ),
        targets === null ? SILENT_FETCHES : SCORE_FETCHES,
      );
      const newKv = floats(outputs[graphOutputs.newKv]);
      kv.write(newKv, 0, extent);
      releaseArray(newKv);
      if (targets !== null) scores.set(floats(outputs[graphOutputs.targetLogProb]), from);
    }
    return scores;
  }
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
