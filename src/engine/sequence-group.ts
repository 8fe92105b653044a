import { askPlan, Race, type RaceRole } from './race.ts';
import type { EngineEvent, EngineRequest, RacePlan } from './request.ts';
import { Sequence } from './sequence.ts';

/**
 * A request with its sequences, which are made when it starts: how many there are may follow the load. The prompt is
 * prefilled once, into a slot of its own, and all of them continue it there.
 */
export class SequenceGroup {
  readonly request: EngineRequest;
  /** Of the prompt. Kept by `KvSlots` alone; null outside the cache. */
  slot: number | null = null;
  #cached = 0;
  #sequences: readonly Sequence[] = [];
  /** As of the last `replan`; null without a race. */
  #plan: RacePlan | null = null;
  #race: Race | null = null;
  #isStarted = false;
  #isAnnounced = false;
  #isCancelled = false;
  /** Whether `finished` was told; what then still runs is the runner-up. */
  #isFinished = false;
  #isOver = false;
  #failure: string | null = null;

  constructor(request: EngineRequest) {
    this.request = request;
  }

  /** Empty while it waits. */
  get sequences(): readonly Sequence[] {
    return this.#sequences;
  }

  /** Tokens of the prompt that are in its slot and count. */
  get cached(): number {
    return this.#cached;
  }

  /** Tokens of the prompt that the model has not seen; 0 when its sequences decode. */
  get pending(): number {
    return this.request.prompt.length - this.#cached;
  }

  /** Further `count` tokens of the prompt are in its slot. */
  advance(count: number): void {
    this.#cached += count;
  }

  /** Slots that it takes when it starts, as of the last `replan`. */
  get slotsWanted(): number {
    const { selection } = this.request;
    return selection.kind === 'all' ? selection.candidates : (this.#plan?.candidates ?? 0);
  }

  /** Nothing of it runs any more, and nobody will hear of it again. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isFailed(): boolean {
    return this.#failure !== null;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** The sequence that gives up its row where others need it, or null. */
  get writingRunnerUp(): Sequence | null {
    return this.#race?.writingRunnerUp ?? null;
  }

  /** All that an `all` request makes is shown. */
  roleOf(sequence: Sequence): RaceRole {
    return this.#race?.roleOf(sequence) ?? 'shown';
  }

  /** Asks for the race plan again: while it waits, the load may have changed. */
  replan(slots: number): void {
    const { selection } = this.request;
    if (selection.kind === 'all' || this.#failure !== null) return;
    const answer = askPlan(selection, slots);
    if (answer.ok) this.#plan = answer.plan;
    else this.fail(answer.message);
  }

  /** Makes the sequences, as many as the last `replan` found. */
  begin(): void {
    const { request } = this;
    const { selection } = request;
    this.#sequences = Array.from({ length: this.slotsWanted }, (_, index) => new Sequence(request, index));
    if (selection.kind === 'race') this.#race = new Race(this.#plan!, selection.judge, this.#sequences);
  }

  /** A pass of it succeeded. */
  start(): void {
    this.#isStarted = true;
  }

  /** Lets the race go on from the tokens that a step drew, and judges what is complete for the last time. */
  settle(): void {
    const race = this.#race;
    if (race === null || this.#failure !== null || this.#isFinished) return;
    const problem = race.settle() ?? (race.isDone ? race.judgeFinished() : null);
    if (problem !== null) this.fail(problem);
  }

  cancel(): void {
    this.#isCancelled = true;
    if (this.#race !== null) this.#race.cancel();
    else for (const sequence of this.#sequences) sequence.cancel();
    this.settle();
  }

  /** Ends the request; once it is finished, only its runner-up. */
  fail(message: string): void {
    if (!this.#isFinished) this.#failure ??= message;
    for (const sequence of this.#sequences) if (sequence.end === null) sequence.fail();
  }

  /** One candidate that cannot go on; without the one that is shown, or without any, there is no reply. */
  failSequence(sequence: Sequence, message: string): void {
    if (this.#race !== null) {
      if (!this.#race.lose(sequence)) this.fail(message);
      return;
    }
    sequence.fail();
    if (this.#sequences.every(({ end }) => end === 'failed')) this.fail(message);
  }

  /** What happened since the last call, as the outside sees it. */
  takeEvents(): readonly EngineEvent[] {
    const { id, prompt } = this.request;
    const events: EngineEvent[] = [];
    if (this.#isStarted && !this.#isAnnounced) {
      this.#isAnnounced = true;
      const level = this.#race?.level ?? null;
      const candidates = this.#sequences.length;
      events.push({ kind: 'started', id, promptTokens: prompt.length, candidates, level });
    }
    for (const sequence of this.#sequences) {
      if (this.roleOf(sequence) !== 'shown') continue;
      const text = sequence.takeText();
      if (text !== '') events.push({ kind: 'text', id, index: sequence.index, text });
    }
    events.push(...this.#takeEnd());
    return events;
  }

  #takeEnd(): readonly EngineEvent[] {
    const { id } = this.request;
    if (this.#isFinished) {
      if (this.writingRunnerUp !== null) return [];
      this.#isOver = true;
      return [{ kind: 'alternative', id, candidate: this.#race?.alternative() ?? null }];
    }
    if (this.#failure !== null) {
      this.#isOver = true;
      return [{ kind: 'failed', id, message: this.#failure }];
    }
    return this.#isDone ? [this.#finish()] : [];
  }

  get #isDone(): boolean {
    if (this.#sequences.length === 0) return this.#isCancelled;
    return this.#race?.isDone ?? this.#sequences.every(({ end }) => end !== null);
  }

  #finish(): EngineEvent {
    const race = this.#race;
    const hasMore = this.writingRunnerUp !== null;
    this.#isFinished = true;
    this.#isOver = !hasMore;
    const candidates =
      race?.candidates() ??
      this.#sequences.filter(({ end }) => end !== 'failed').map((sequence) => sequence.toCandidate(null));
    return {
      kind: 'finished',
      id: this.request.id,
      shown: race?.shown?.index ?? null,
      candidates,
      race: race?.record() ?? null,
      hasMore,
    };
  }
}
