import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import type {
  GenerationEvent,
  GenerationRequest,
  Generator,
  GeneratorAdmission,
} from '../conversation/generator.ts';
import { type LoadLevel, type LoadState, nextLoadState } from '../conversation/load-level.ts';
import { type Clock, systemClock } from '../std/clock.ts';
import { CodedError } from '../std/coded-error.ts';
import { Pulse } from '../std/pulse.ts';
import type { WorkerReport, WorkerSettings, WorkerToMain } from './messages.ts';
import { QueueAge } from './queue-age.ts';
import { type Run, startRun } from './run.ts';

/** How long closing waits for running steps and loading workers, which cannot be interrupted. */
const CLOSE_TIMEOUT_MS = 20_000;

const RETRY_AFTER_MS = { min: 250, max: 10_000 } as const;

/** Weight of the newest generation in the mean duration. */
const DURATION_SMOOTHING = 0.1;
const DURATION_GUESS_MS = 4_000;

/** The level falls with time, so it is looked at also when nothing happens. */
const LEVEL_EVERY_MS = 100;

export interface GenerationPoolOptions {
  readonly modelName: string;
  readonly worker: Omit<WorkerSettings, 'level'>;
  /** Worker threads, each with a session of its own. */
  readonly workers: number;
  /** Generations that may wait for a row, in all workers together. */
  readonly queueMax: number;
  /** The worker's entry; tests put their own in its place. */
  readonly workerFile?: URL;
  readonly clock?: Clock;
  /** Told when the load level has changed. */
  readonly onLevel?: (level: LoadLevel, queueAgeMs: number) => void;
}

export type PoolState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface PoolStats {
  readonly workers: number;
  readonly workersReady: number;
  /** Generations that wait for a row. */
  readonly queued: number;
  readonly running: number;
  /** Both together are never more. */
  readonly capacity: number;
  readonly queueAgeMs: number;
  /** Workers that died and were replaced. */
  readonly replaced: number;
}

type FailureCode = Extract<WorkerToMain, { readonly type: 'failed' }>['code'];

/** Starts the workers; `ready()` tells when they are loaded. */
export function startGenerationPool(options: GenerationPoolOptions): GenerationPool {
  return new GenerationPool(options);
}

/**
 * Generations on worker threads, each of which batches what it is given.
 *
 * Terminating a thread while the runtime computes aborts the whole process, so nothing here ever interrupts
 * one: generations are cancelled by a message between two steps, and closing waits for them.
 */
export class GenerationPool implements Generator, AsyncDisposable {
  readonly model: string;
  readonly #piscina: Piscina;
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #rows: number;
  readonly #runs = new Set<Run>();
  /** By thread: null = ready, a text = why it never will be. Threads that are not here are loading. */
  readonly #reports = new Map<number, string | null>();
  /** Beats when a worker reports, or is gone. */
  readonly #change = new Pulse();
  readonly #notes = new Set<string>();
  readonly #base: 0 | 1;
  readonly #level = new SharedArrayBuffer(4);
  readonly #onLevel: (level: LoadLevel, queueAgeMs: number) => void;
  readonly #queueAge = new QueueAge();
  readonly #watch: NodeJS.Timeout;
  #load: LoadState;
  #startFailure: string | null = null;
  #replaced = 0;
  #durationMs = DURATION_GUESS_MS;
  #isClosing = false;

  constructor(options: GenerationPoolOptions) {
    const { worker, workers } = options;
    const perWorker = worker.rowsMax + worker.queueMax;
    this.model = options.modelName;
    this.#clock = options.clock ?? systemClock;
    this.#rows = workers * worker.rowsMax;
    this.#capacity = this.#rows + options.queueMax;
    this.#base = worker.race.quality === 'best' ? 0 : 1;
    this.#load = { level: this.#base, calmSince: null };
    this.#onLevel = options.onLevel ?? (() => {});
    Atomics.store(new Int32Array(this.#level), 0, this.#load.level);
    this.#watch = setInterval(() => this.#updateLevel(), LEVEL_EVERY_MS).unref();
    this.#piscina = new Piscina({
      ...workerEntry(options.workerFile),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: perWorker,
      workerData: { ...worker, level: this.#level } satisfies WorkerSettings,
      // A worker that waits in Atomics.wait would not read its ports.
      atomics: 'disabled',
      loadBalancer: (_task, threads) =>
        leastBusy(
          threads.filter(({ id, currentUsage }) => currentUsage < perWorker && !this.#hasFailed(id)),
        ) ?? leastBusy(threads.filter(({ id }) => this.#hasFailed(id))),
    });
    this.#piscina.on('message', (report: WorkerReport) => this.#takeReport(report));
    this.#piscina.on('workerDestroy', () => {
      if (!this.#isClosing) this.#replaced += 1;
      this.#change.beat();
    });
    // Only a worker that dies without a generation comes here.
    this.#piscina.on('error', (error: Error) => this.#takeError(error));
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
        yield message.event;
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
    const threads = this.#piscina.threads.map(({ threadId }) => threadId);
    if (threads.some((id) => this.#reports.get(id) === null)) return { kind: 'ready' };
    if (this.#isLoading()) return { kind: 'loading' };
    const reason = threads.map((id) => this.#reports.get(id)).find((text) => typeof text === 'string');
    return { kind: 'failed', reason: reason ?? this.#startFailure ?? 'No generation worker is left.' };
  }

  /** @throws CodedError `model_unavailable` when no worker could load the model. */
  async ready(): Promise<void> {
    for (let state = this.state(); state.kind !== 'ready'; state = this.state()) {
      if (state.kind === 'failed') throw new CodedError('model_unavailable', state.reason);
      await this.#change.wait();
    }
  }

  /** What the workers found worth a line in the log, each once. */
  notes(): readonly string[] {
    return [...this.#notes];
  }

  stats(): PoolStats {
    const { threads } = this.#piscina;
    const phases = [...this.#runs].map((run) => run.phase());
    return {
      workers: threads.length,
      workersReady: threads.filter(({ threadId }) => this.#reports.get(threadId) === null).length,
      queued: phases.filter((phase) => phase === 'waiting').length,
      running: phases.filter((phase) => phase === 'running').length,
      capacity: this.#capacity,
      queueAgeMs: this.#queueAgeMs(),
      replaced: this.#replaced,
    };
  }

  /** Cancels what runs, waits for it, then ends the threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#watch);
    for (const run of this.#runs) run.cancel();
    const isQuiet = await within(CLOSE_TIMEOUT_MS, this.#quiet());
    if (isQuiet) await this.#piscina.close();
    // Else leave them: ending a thread in the middle of a run would abort the process.
    else for (const thread of this.#piscina.threads) thread.unref();
  }

  /** Resolves when no thread can be inside the runtime: nothing runs, nothing loads. */
  async #quiet(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all([...this.#runs].map((run) => run.settled));
    while (this.#isLoading()) await this.#change.wait();
  }

  #isLoading(): boolean {
    return this.#piscina.threads.some(({ threadId }) => !this.#reports.has(threadId));
  }

  #start(request: GenerationRequest): Run {
    const startedAt = this.#clock.monotonic();
    const run = startRun(request, {
      post: (task, transferList) => this.#piscina.run(task, { transferList }),
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
    Atomics.store(new Int32Array(this.#level), 0, this.#load.level);
    this.#onLevel(this.#load.level, queueAgeMs);
  }

  #hasFailed(threadId: number): boolean {
    return typeof this.#reports.get(threadId) === 'string';
  }

  #takeReport(report: WorkerReport): void {
    const alive = new Set(this.#piscina.threads.map(({ threadId }) => threadId));
    for (const id of this.#reports.keys()) if (!alive.has(id)) this.#reports.delete(id);
    this.#reports.set(report.threadId, report.type === 'ready' ? null : report.message);
    if (report.type === 'ready') for (const note of report.notes) this.#notes.add(note);
    this.#change.beat();
  }

  #takeError(error: Error): void {
    if (this.#piscina.threads.length > 0) return;
    // Piscina replaces no worker that dies before it is ready, and would leave its queue waiting for ever.
    this.#startFailure = `A generation worker cannot start: ${error.message}`;
    for (const run of this.#runs) run.fail('model_unavailable', this.#startFailure);
    this.#change.beat();
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

/** The sources run through tsx, the build as it is. */
function workerEntry(workerFile: URL | undefined): { filename: string; execArgv?: string[] } {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = workerFile ?? new URL(`../../workers/generate.${extension}`, import.meta.url);
  const filename = fileURLToPath(file);
  if (!filename.endsWith('.ts')) return { filename };
  // "--import tsx" does not reach the ES modules of a thread on Node 20; calling its interface does.
  const commonJs = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api'));
  const tsx = new URL('./index.mjs', commonJs).href;
  const register = `import { register } from ${JSON.stringify(tsx)}; register();`;
  return { filename, execArgv: ['--import', `data:text/javascript,${encodeURIComponent(register)}`] };
}

function leastBusy<T extends { readonly currentUsage: number }>(threads: readonly T[]): T | null {
  return threads.reduce<T | null>(
    (best, thread) => (best === null || thread.currentUsage < best.currentUsage ? thread : best),
    null,
  );
}

async function within(timeoutMs: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
