import type { GenerationStatus, Message } from './message.ts';
import { ReplyStream } from './reply-stream.ts';

/** Why a reply is stopped before its own end. The text shown so far is kept. */
export type StopReason = 'cancelled' | 'superseded';

/** The turn that a reply answers, as it was stored. */
export interface Turn {
  readonly generationId: string;
  readonly conversationId: string;
  readonly userId: string;
  /** The user message that is answered. */
  readonly user: Message;
  /** The still empty companion message that holds the reply. */
  readonly companion: Message;
}

/** A reply that this process still works on: queued or running. */
export class Reply {
  readonly turn: Turn;
  readonly stream: ReplyStream;
  readonly #stop = new AbortController();
  #afterlife: Promise<void> | null = null;

  /** @param written text that was shown before a crash, and is continued. */
  constructor(turn: Turn, written = '') {
    this.turn = turn;
    this.stream = new ReplyStream(written);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get stopReason(): StopReason | null {
    return this.signal.aborted ? (this.signal.reason as StopReason) : null;
  }

  get status(): GenerationStatus {
    return this.stream.end?.message.status ?? (this.stream.started ? 'running' : 'queued');
  }

  /** What goes on for it after its end, such as a runner-up that is still being written; null when nothing does. */
  get afterlife(): Promise<void> | null {
    return this.#afterlife;
  }

  /** @param work must not throw; a stop ends it soon. */
  outlive(work: Promise<void>): void {
    this.#afterlife = work;
  }

  /** Resolves when somebody stops it. */
  stopped(): Promise<void> {
    if (this.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  /** The first reason stays: a superseded reply is not cancelled a second time. */
  stop(reason: StopReason): void {
    if (!this.signal.aborted) this.#stop.abort(reason);
  }
}
