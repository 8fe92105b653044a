import type {
  GenerationEvent,
  GenerationRequest,
  Generator,
  GeneratorAdmission,
} from '../conversation/generator.ts';
import { type LoadLevel, type LoadState, nextLoadState } from '../conversation/load-level.ts';
import { type Clock, systemClock } from '../std/clock.ts';
import { CodedError } from '../std/coded-error.ts';
import type { GenerationHost, HostOptions, HostStatus, PoolState } from './generation-host.ts';
import type { WorkerToMain } from './messages.ts';
import { ProcessHost } from './process-host.ts';
import { QueueAge } from './queue-age.ts';
import { type Run, startRun } from './run.ts';
import { ThreadHost } from './thread-host.ts';

const RETRY_AFTER_MS = { min: 250, max: 10_000 } as const;

/** Weight of the newest generation in the mean duration. */
const DURATION_SMOOTHING = 0.1;
const DURATION_GUESS_MS = 4_000;

/** The level falls with time, so it is looked at also when nothing happens. */
const LEVEL_EVERY_MS = 100;

export interface GenerationPoolOptions extends HostOptions {
  readonly modelName: string;
  /** Where the workers live. */
  readonly host: 'thread' | 'process';
  /** Generations that may wait for a row, in all workers together. */
  readonly queueMax: number;
  readonly clock?: Clock;
  /** Told when the load level has changed. */
  readonly onLevel?: (level: LoadLevel, queueAgeMs: number) => void;
}

export interface PoolStats extends Omit<HostStatus, 'state' | 'notes'> {
  /** Generations that wait for a row. */
  readonly queued: number;
  readonly running: number;
  /** Both together are never more. */
  readonly capacity: number;
  readonly queueAgeMs: number;
}

type FailureCode = Extract<WorkerToMain, { readonly type: 'failed' }>['code'];

/** Starts the workers; `ready()` tells when they are loaded. */
export function startGenerationPool(options: GenerationPoolOptions): GenerationPool {
  return new GenerationPool(options);
}

/** Generations on workers: who is let in, what they are told, and how much may be done for each. */
export class GenerationPool implements Generator, AsyncDisposable {
  readonly model: string;
  readonly #host: GenerationHost;
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #rows: number;
  readonly #runs = new Set<Run>();
  readonly #base: 0 | 1;
  readonly #onLevel: (level: LoadLevel, queueAgeMs: number) => void;
  readonly #queueAge = new QueueAge();
  readonly #watch: NodeJS.Timeout;
  #load: LoadState;
  #durationMs = DURATION_GUESS_MS;
  #isClosing = false;

  constructor(options: GenerationPoolOptions) {
    const { worker, workers } = options;
    this.model = options.modelName;
    this.#host = options.host === 'process' ? new ProcessHost(options) : new ThreadHost(options);
    this.#clock = options.clock ?? systemClock;
    this.#rows = workers * worker.rowsMax;
    this.#capacity = this.#rows + options.queueMax;
    this.#base = worker.race.quality === 'best' ? 0 : 1;
    this.#load = { level: this.#base, calmSince: null };
    this.#host.setLevel(this.#load.level);
    this.#onLevel = options.onLevel ?? (() => {});
    this.#watch = setInterval(() => this.#updateLevel(), LEVEL_EVERY_MS).unref();
  }

  admits(): GeneratorAdmission {
    if (this.#isClosing) {
      return refusal('shutting_down', 'The server is about to stop.', RETRY_AFTER_MS.max);
    }
    const state = this.state();
    if (state.kind === 'failed') return refusal('model_unavailable', state.reason, RETRY_AFTER_MS.max);
    if (this.#load.level === 5) {
      return refusal('overloaded', 'Too many people are waiting for a reply.', this.#retryAfterMs());
    }
    if (this.#runs.size < this.#capacity) return { ok: true };
    return refusal('overloaded', 'The queue of generations is full.', this.#retryAfterMs());
  }

  level(): LoadLevel {
    return this.#load.level;
  }

  async *generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    const refused = this.#refusalOfAccepted();
    if (refused !== null) throw refused;
    const run = this.#start(request);
    const cancel = () => run.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      for await (const message of run.messages) {
        if (message.type === 'failed') throw this.#toError(message.code, message.message);
        yield message.type === 'event' ? message.event : { kind: 'lost', reason: message.reason };
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      run.cancel();
      // Its place is free when this returns: whoever saw the end may count on that.
      await run.settled;
    }
  }

  /** Whoever was let in before is not refused for the load: only where there is no place or no model. */
  #refusalOfAccepted(): CodedError | null {
    const admission = this.admits();
    if (admission.ok || (admission.code === 'overloaded' && this.#runs.size < this.#capacity)) return null;
    const { code, message, retryAfterMs } = admission;
    return new CodedError(code, message, { retryAfterMs });
  }

  state(): PoolState {
    return this.#host.status().state;
  }

  /** @throws CodedError `model_unavailable` when no worker could load the model. */
  async ready(): Promise<void> {
    for (let state = this.state(); state.kind !== 'ready'; state = this.state()) {
      if (state.kind === 'failed') throw new CodedError('model_unavailable', state.reason);
      await this.#host.changed();
    }
  }

  /** What the workers found worth a line in the log, each once. */
  notes(): readonly string[] {
    return this.#host.status().notes;
  }

  stats(): PoolStats {
    const { state: _, notes: __, ...figures } = this.#host.status();
    const phases = [...this.#runs].map((run) => run.phase());
    return {
      ...figures,
      queued: phases.filter((phase) => phase === 'waiting').length,
      running: phases.filter((phase) => phase === 'running').length,
      capacity: this.#capacity,
      queueAgeMs: this.#queueAgeMs(),
    };
  }

  /** Cancels what runs, waits for it, then ends the workers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#watch);
    for (const run of this.#runs) run.cancel();
    await this.#host[Symbol.asyncDispose]();
  }

  #start(request: GenerationRequest): Run {
    const startedAt = this.#clock.monotonic();
    const run = startRun(request, {
      host: this.#host,
      onStart: () => this.#hasStarted(),
      now: startedAt,
    });
    this.#runs.add(run);
    this.#updateLevel();
    void run.settled.then(() => {
      this.#runs.delete(run);
      this.#durationMs += DURATION_SMOOTHING * (this.#clock.monotonic() - startedAt - this.#durationMs);
    });
    return run;
  }

  #waitingSince(): readonly number[] {
    return [...this.#runs].flatMap((run) => (run.phase() === 'waiting' ? [run.since] : []));
  }

  #queueAgeMs(): number {
    return this.#queueAge.at(this.#clock.monotonic(), this.#waitingSince());
  }

  #hasStarted(): void {
    this.#queueAge.started(this.#clock.monotonic(), this.#waitingSince().length > 0);
    this.#updateLevel();
  }

  #updateLevel(): void {
    // While the model loads everybody waits, and fewer candidates would not help.
    const queueAgeMs = this.state().kind === 'ready' ? this.#queueAgeMs() : 0;
    const before = this.#load.level;
    this.#load = nextLoadState(this.#load, { queueAgeMs, base: this.#base, now: this.#clock.monotonic() });
    if (this.#load.level === before) return;
    this.#host.setLevel(this.#load.level);
    this.#onLevel(this.#load.level, queueAgeMs);
  }

  #toError(code: FailureCode, message: string): CodedError {
    return new CodedError(code, message, code === 'overloaded' ? { retryAfterMs: this.#retryAfterMs() } : {});
  }

  #retryAfterMs(): number {
    // A row is free again after a generation's duration, and there are many of them.
    const untilFree = Math.max(this.#durationMs / this.#rows, this.#queueAgeMs());
    return Math.ceil(Math.min(RETRY_AFTER_MS.max, Math.max(RETRY_AFTER_MS.min, untilFree)));
  }
}

function refusal(
  code: 'overloaded' | 'model_unavailable' | 'shutting_down',
  message: string,
  retryAfterMs: number,
): GeneratorAdmission {
  return { ok: false, code, message, retryAfterMs };
}
