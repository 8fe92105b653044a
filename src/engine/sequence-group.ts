import type { EngineEvent, EngineRequest } from './request.ts';
import { Sequence } from './sequence.ts';

/** A request with its sequences. The first one prefills the prompt for all; the others are forked from it. */
export class SequenceGroup {
  readonly request: EngineRequest;
  readonly sequences: readonly Sequence[];
  #isStarted = false;
  #isAnnounced = false;
  #failure: string | null = null;

  constructor(request: EngineRequest) {
    this.request = request;
    this.sequences = Array.from({ length: request.candidates }, (_, index) => new Sequence(request, index));
  }

  /** The sequence that computes the prompt. */
  get head(): Sequence {
    return this.sequences[0]!;
  }

  /** The sequence whose text is streamed. */
  get shown(): Sequence {
    return this.sequences[0]!;
  }

  get isOver(): boolean {
    return this.#failure !== null || this.sequences.every((sequence) => sequence.end !== null);
  }

  /** A pass of it succeeded. */
  start(): void {
    this.#isStarted = true;
  }

  cancel(): void {
    for (const sequence of this.sequences) sequence.cancel();
  }

  fail(message: string): void {
    this.#failure ??= message;
    for (const sequence of this.sequences) sequence.fail();
  }

  /** One candidate that cannot go on; without the one that is shown there is no reply. */
  failSequence(sequence: Sequence, message: string): void {
    if (sequence === this.shown) this.fail(message);
    else sequence.fail();
  }

  /** What happened since the last call, as the outside sees it. */
  takeEvents(): readonly EngineEvent[] {
    const { id, prompt, candidates } = this.request;
    const events: EngineEvent[] = [];
    if (this.#isStarted && !this.#isAnnounced) {
      this.#isAnnounced = true;
      events.push({ kind: 'started', id, promptTokens: prompt.length, candidates });
    }
    const text = this.shown.takeText();
    if (text !== '') events.push({ kind: 'text', id, text });
    if (this.#failure !== null) events.push({ kind: 'failed', id, message: this.#failure });
    else if (this.isOver) events.push(this.#finished());
    return events;
  }

  /** Candidates that failed are left out. */
  #finished(): EngineEvent {
    const candidates = this.sequences.map((sequence) => sequence.toCandidate());
    return {
      kind: 'finished',
      id: this.request.id,
      shown: this.shown.index,
      candidates: candidates.filter((candidate) => candidate !== null),
    };
  }
}
