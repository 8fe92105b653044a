import { admit, type EngineLimits, malformation } from './admission.ts';
import { type Pass, type PassResult, runPass, toPasses } from './forward-pass.ts';
import type { EngineSnapshot } from './invariants.ts';
import { KvSlots } from './kv-slots.ts';
import type { ModelRunner, RowLogits, Vocabulary } from './model-runner.ts';
import { PrefixCache } from './prefix-cache.ts';
import type { Admission, EngineEvent, EngineRequest } from './request.ts';
import { Sampler } from './sampler.ts';
import { type PromptChunk, Scheduler } from './scheduler.ts';
import type { Sequence } from './sequence.ts';
import { SequenceGroup } from './sequence-group.ts';

/** What the sampler made of one row. */
type Draw = { readonly sequence: Sequence } & (
  | { readonly ok: true; readonly token: number; readonly logProb: number }
  | { readonly ok: false; readonly message: string }
);

/**
 * Continuous batching: requests join and leave between two steps. Whoever owns the engine calls `step` while
 * it is not `idle`, one call at a time, and gives the event loop a turn in between. The runner stays the
 * caller's: the engine never disposes of it.
 *
 * What a request yields is a function of itself alone (prompt, sampling, stop strings, candidate), not of its
 * neighbours or of when it came.
 */
export class Engine {
  readonly #runner: ModelRunner;
  readonly #vocabulary: Vocabulary;
  readonly #limits: EngineLimits;
  readonly #scheduler = new Scheduler();
  readonly #slots: KvSlots<Sequence>;
  readonly #promptSlots: KvSlots<SequenceGroup>;
  readonly #prefixes: PrefixCache;
  readonly #sampler: Sampler;
  readonly #groups = new Map<string, SequenceGroup>();
  readonly #cancelled = new Set<SequenceGroup>();
  readonly #totals = { promptTokensRun: 0, promptTokensReused: 0 };
  #isStepping = false;

  constructor(model: { runner: ModelRunner; vocabulary: Vocabulary }, limits: EngineLimits) {
    const { chunkTokens, prefillTokensMax } = limits;
    if (!(chunkTokens >= 1 && chunkTokens <= prefillTokensMax)) {
      throw new RangeError('Engine: chunkTokens must be from 1 to prefillTokensMax');
    }
    const { runner, vocabulary } = model;
    this.#runner = runner;
    this.#vocabulary = vocabulary;
    this.#limits = limits;
    const { slots, blocks, blockTokens } = runner.limits;
    if (blocks > 0 && blockTokens !== chunkTokens) {
      throw new RangeError('Engine: the blocks of the runner must be as long as the chunks of prompts');
    }
    this.#prefixes = new PrefixCache({ blocks, blockTokens: chunkTokens });
    this.#slots = new KvSlots(slots, (from, to, length) => runner.copyReply(from, to, length));
    this.#promptSlots = new KvSlots(slots, (from, to, length) => runner.copyPrompt(from, to, length));
    this.#sampler = new Sampler(runner.limits.topK);
  }

  /**
   * Puts a request at the end of the queue; from then on it ends with exactly one `finished` or `failed`, and after a
   * `finished` that has more comes exactly one `alternative`. A race plan or a judge that makes no sense fails its own
   * request.
   *
   * @throws on a bug of the caller: an empty prompt or stop string, a count below 1, an id that is in use.
   */
  submit(request: EngineRequest): Admission {
    const problem = this.#groups.has(request.id) ? 'the id is in use' : malformation(request);
    if (problem !== null) throw new Error(`Engine: request ${request.id}: ${problem}`);
    const group = new SequenceGroup(request);
    group.replan(this.#slots.capacity);
    const occupancy = {
      slotsFree: this.#slots.free + this.#scheduler.runnerUps.length,
      requestsWaiting: this.#scheduler.waiting.length,
      slotsAwaited: this.#scheduler.slotsAwaited,
    };
    const newcomer = { request, slotsWanted: group.slotsWanted };
    const admission = admit(newcomer, occupancy, { ...this.#limits, ...this.#runner.limits });
    if (admission === 'accepted') {
      this.#groups.set(request.id, group);
      this.#scheduler.enqueue(group);
    }
    return admission;
  }

  /**
   * Ends a request at the beginning of the next step, with the text so far; one that has finished loses the runner-up
   * that writes on. Unknown and ended ids are ignored.
   */
  cancel(id: string): void {
    const group = this.#groups.get(id);
    if (group !== undefined) this.#cancelled.add(group);
  }

  /** Whether there is nothing to do: no request waits or runs. */
  get idle(): boolean {
    return this.#groups.size === 0;
  }

  /** Tokens of prompts since the start: those that ran, and those that were found again. */
  get totals(): { readonly promptTokensRun: number; readonly promptTokensReused: number } {
    return { ...this.#totals };
  }

  /** Rows of the batch that are taken. */
  get rowsUsed(): number {
    return this.#slots.used;
  }

  /**
   * Brings every running sequence one token further. Rows of those that end with it, or that lose a race by it, are free
   * when it returns. A failing forward ends the requests that were in it with `failed`, and touches nobody else.
   *
   * @throws only on a bug; the engine must not be used afterwards.
   */
  async step(): Promise<readonly EngineEvent[]> {
    if (this.#isStepping) throw new Error('Engine: a step is running, or one has thrown');
    this.#isStepping = true;
    this.#endCancelled();
    const prompts = this.#start();
    const results = await this.#forward(prompts);
    const draws = this.#sample(results);
    this.#commit(results, draws);
    const events = this.#emit();
    this.#isStepping = false;
    return events;
  }

  /** A copy of the counters, for metrics and for `findViolations`. */
  snapshot(): EngineSnapshot {
    const { totals, capacity, free, decodingCount, used } = this.#slots;
    return {
      requestsWaiting: this.#scheduler.waiting.length,
      requestsRunning: this.#scheduler.runningCount,
      rowsDecoding: decodingCount,
      rowsPrefilling: used - decodingCount,
      slots: capacity,
      slotsFree: free,
      slotsTakenTotal: totals.taken,
      slotsFreedTotal: totals.freed,
      promptSlotsUsed: this.#promptSlots.used,
      promptsDecoding: this.#promptSlots.decodingCount,
      positions: this.#runner.limits.positions,
      sequences: [...this.#groups.values()].flatMap((group) =>
        group.sequences.map((sequence) => ({
          requestId: group.request.id,
          index: sequence.index,
          role: group.roleOf(sequence),
          isRaced: group.request.selection.kind === 'race',
          isFinished: group.isFinished,
          slot: sequence.slot,
          cached: sequence.cached,
          promptSlot: group.slot,
          promptCached: group.cached,
          promptTokens: group.request.prompt.length,
          generated: sequence.generated,
          tokensMax: group.request.tokensMax,
          end: sequence.end,
        })),
      ),
    };
  }

  #endCancelled(): void {
    for (const group of this.#cancelled) group.cancel();
    this.#releaseEnded();
    for (const group of this.#cancelled) this.#scheduler.remove(group);
    this.#cancelled.clear();
  }

  /** Decides what runs: takes the slots of those that give way, gives slots to those that start. */
  #start(): readonly PromptChunk[] {
    this.#scheduler.replan(this.#slots.capacity);
    const reusableTokens = ({ request }: SequenceGroup) => this.#prefixes.reusableTokens(request);
    const plan = this.#scheduler.plan(this.#slots.free, this.#limits, reusableTokens);
    for (const sequence of plan.yielding) sequence.drop();
    this.#releaseEnded();
    this.#scheduler.start(plan.starting);
    for (const group of plan.starting) {
      group.begin();
      this.#promptSlots.take(group);
      for (const sequence of group.sequences) this.#slots.take(sequence);
      this.#reuse(group);
    }
    return plan.prompts;
  }

  /** Lets a prompt begin with what is kept of its beginning. */
  #reuse(group: SequenceGroup): void {
    const blocks = this.#prefixes.use(group.request);
    if (blocks.length === 0) return;
    this.#runner.loadBlocks(group.slot!, blocks);
    const tokens = blocks.length * this.#limits.chunkTokens;
    group.advance(tokens);
    this.#totals.promptTokensReused += tokens;
  }

  /** Keeps a piece of a prompt for those that begin alike, if it is a whole block. */
  #keep({ group, position, tokens }: PromptChunk): void {
    const { chunkTokens } = this.#limits;
    if (tokens < chunkTokens) return;
    const block = this.#prefixes.keep(group.request, position);
    if (block !== null) this.#runner.saveBlock(block, { slot: group.slot!, position });
  }

  /** A prompt of which a piece failed is not gone on with. */
  async #forward(prompts: readonly PromptChunk[]): Promise<readonly PassResult[]> {
    const results: PassResult[] = [];
    const failed = new Set<SequenceGroup>();
    const groupOf = (sequence: Sequence) => this.#groupOf(sequence);
    for (const pass of toPasses(this.#slots.decoding, prompts, groupOf)) {
      if (pass.kind === 'prefill' && failed.has(pass.chunk.group)) continue;
      const result = await runPass(this.#runner, pass);
      if (!result.ok && pass.kind === 'prefill') failed.add(pass.chunk.group);
      results.push(result);
    }
    return results;
  }

  /** Draws a token for each sequence that got logits; all candidates of a prompt draw from the same ones. */
  #sample(results: readonly PassResult[]): readonly Draw[] {
    const draws: Draw[] = [];
    for (const result of results) {
      if (!result.ok) continue;
      const { pass } = result;
      result.logits.forEach((logits, row) => {
        if (logits === null) return;
        const drawing = pass.kind === 'decode' ? [pass.sequences[row]!] : pass.chunk.group.sequences;
        for (const sequence of drawing) draws.push(this.#draw(logits, sequence));
      });
    }
    return draws;
  }

  #draw(logits: RowLogits, sequence: Sequence): Draw {
    const outcome = this.#sampler.sample(logits, sequence);
    if (outcome === 'not_finite') {
      return { sequence, ok: false, message: 'the model returned logits that are not finite' };
    }
    const { token, logProb } = this.#sampler;
    if (token >= 0 && token < this.#vocabulary.size) return { sequence, ok: true, token, logProb };
    return { sequence, ok: false, message: 'the model returned a token outside its vocabulary' };
  }

  /** The only place where a step advances sequences. */
  #commit(results: readonly PassResult[], draws: readonly Draw[]): void {
    for (const result of results) {
      if (result.ok) this.#commitPass(result.pass);
      else this.#failPass(result.pass, result.message);
    }
    for (const draw of draws) {
      const { sequence } = draw;
      if (draw.ok) sequence.accept(draw.token, draw.logProb, this.#vocabulary);
      else this.#groupOf(sequence).failSequence(sequence, draw.message);
    }
    for (const group of this.#scheduler.running) group.settle();
    this.#releaseEnded();
  }

  #commitPass(pass: Pass): void {
    if (pass.kind === 'decode') {
      for (const sequence of pass.sequences) sequence.advance();
      return;
    }
    const { group, tokens, isLast } = pass.chunk;
    group.advance(tokens);
    group.start();
    this.#totals.promptTokensRun += tokens;
    this.#keep(pass.chunk);
    if (isLast) this.#join(group);
  }

  /** Even a failed prompt joins, to leave in a moment: prompts behind it then find their place at the batch. */
  #failPass(pass: Pass, message: string): void {
    if (pass.kind === 'prefill') {
      this.#join(pass.chunk.group);
      pass.chunk.group.fail(message);
      return;
    }
    for (const sequence of pass.sequences) this.#groupOf(sequence).fail(message);
  }

  #join(group: SequenceGroup): void {
    this.#promptSlots.join([group]);
    this.#slots.join(group.sequences);
  }

  #releaseEnded(): void {
    const leaving: Sequence[] = [];
    const left: SequenceGroup[] = [];
    for (const group of this.#scheduler.running) {
      for (const sequence of group.sequences) {
        if (sequence.end !== null && sequence.slot !== null) leaving.push(sequence);
      }
      if (group.slot !== null && group.sequences.every(({ end }) => end !== null)) left.push(group);
    }
    this.#slots.release(leaving);
    this.#promptSlots.release(left);
  }

  /** What the outside learns, in the order of arrival; requests that are over are forgotten. */
  #emit(): readonly EngineEvent[] {
    const events: EngineEvent[] = [];
    for (const group of this.#groups.values()) {
      events.push(...group.takeEvents());
      if (!group.isOver) continue;
      this.#scheduler.remove(group);
      this.#groups.delete(group.request.id);
      this.#cancelled.delete(group);
    }
    return events;
  }

  #groupOf(sequence: Sequence): SequenceGroup {
    return this.#groups.get(sequence.request.id)!;
  }
}
