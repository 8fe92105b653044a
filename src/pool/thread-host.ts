import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { GenerationRequest } from '../conversation/generator.ts';
import type { LoadLevel } from '../conversation/load-level.ts';
import { Pulse } from '../std/pulse.ts';
import { entryOf } from '../worker-entry.ts';
import {
  closeTimeoutMs,
  type GenerationHost,
  type HostedRun,
  type HostOptions,
  type HostStatus,
  type PoolState,
  type RunMessage,
} from './generation-host.ts';
import type { GenerateTask, MainToWorker, WorkerReport, WorkerSettings } from './messages.ts';
import { freeSeats } from './seats.ts';
import { within } from './within.ts';
import { readWork, workBytes } from './work-counters.ts';

/**
 * Workers in threads of this process, each of which batches what it is given.
 *
 * Terminating a thread while the runtime computes aborts the whole process, so nothing here ever interrupts one:
 * generations are cancelled by a message between two steps, and closing waits for them.
 */
export class ThreadHost implements GenerationHost {
  readonly #piscina: Piscina;
  /** By thread: null = ready, a text = why it never will be. Threads that are not here are loading. */
  readonly #reports = new Map<number, string | null>();
  /** By what settles: ends a run that no worker will ever take. */
  readonly #runs = new Map<Promise<void>, () => void>();
  readonly #notes = new Set<string>();
  readonly #level = new SharedArrayBuffer(4);
  readonly #work = new SharedArrayBuffer(workBytes);
  readonly #seats: SharedArrayBuffer;
  /** Beats when a worker reports, or is gone. */
  readonly #change = new Pulse();
  #startFailure: string | null = null;
  #replaced = 0;
  #isClosing = false;

  constructor({ worker, workers, workerFile }: HostOptions) {
    const perWorker = worker.rowsMax + worker.queueMax;
    this.#seats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * workers);
    this.#piscina = new Piscina({
      ...entryOf('generate', workerFile),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: perWorker,
      workerData: {
        ...worker,
        level: this.#level,
        work: this.#work,
        seats: this.#seats,
      } satisfies WorkerSettings,
      // Each step's garbage is small and soon collected.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
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
      freeSeats(this.#seats, new Set(this.#piscina.threads.map(({ threadId }) => threadId)));
      this.#change.beat();
    });
    // Only a worker that dies without a generation comes here.
    this.#piscina.on('error', (error: Error) => this.#takeError(error));
  }

  start(request: GenerationRequest, receive: (message: RunMessage) => void): HostedRun {
    const { port1: port, port2: workerPort } = new MessageChannel();
    port.on('message', receive);
    const task: GenerateTask = { request, port: workerPort };
    const worked = this.#piscina.run(task, { transferList: [workerPort] }).then(
      () => 'The generation worker ended without an answer.',
      (error: unknown) => `The generation worker broke off: ${messageOf(error)}`,
    );
    let abandon = () => {};
    const abandoned = new Promise<null>((resolve) => {
      abandon = () => resolve(null);
    });
    const settled = Promise.race([worked, abandoned]).then((reason) => {
      // Whatever the worker posted is in the port's queue by now, ahead of any event of it.
      for (const message of takeAll(port)) receive(message);
      if (reason === null) {
        receive({ type: 'failed', code: 'model_unavailable', message: this.#startFailure ?? '' });
      } else receive({ type: 'lost', reason });
      port.close();
      this.#runs.delete(settled);
    });
    this.#runs.set(settled, abandon);
    return { settled, cancel: () => port.postMessage({ type: 'cancel' } satisfies MainToWorker) };
  }

  status(): HostStatus {
    const { threads } = this.#piscina;
    return {
      state: this.#state(),
      workers: threads.length,
      workersReady: threads.filter(({ threadId }) => this.#reports.get(threadId) === null).length,
      replaced: this.#replaced,
      work: readWork(new BigInt64Array(this.#work)),
      notes: [...this.#notes],
    };
  }

  changed(): Promise<void> {
    return this.#change.wait();
  }

  setLevel(level: LoadLevel): void {
    Atomics.store(new Int32Array(this.#level), 0, level);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    const isQuiet = await within(closeTimeoutMs, this.#quiet());
    if (isQuiet) await this.#piscina.close();
    // Else leave them: ending a thread in the middle of a run would abort the process.
    else for (const thread of this.#piscina.threads) thread.unref();
  }

  /** Resolves when no thread can be inside the runtime: nothing runs, nothing loads. */
  async #quiet(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all(this.#runs.keys());
    while (this.#isLoading()) await this.#change.wait();
  }

  #state(): PoolState {
    const threads = this.#piscina.threads.map(({ threadId }) => threadId);
    if (threads.some((id) => this.#reports.get(id) === null)) return { kind: 'ready' };
    if (this.#isLoading()) return { kind: 'loading' };
    const reason = threads.map((id) => this.#reports.get(id)).find((text) => typeof text === 'string');
    return { kind: 'failed', reason: reason ?? this.#startFailure ?? 'No generation worker is left.' };
  }

  #isLoading(): boolean {
    return this.#piscina.threads.some(({ threadId }) => !this.#reports.has(threadId));
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
    for (const abandon of this.#runs.values()) abandon();
    this.#change.beat();
  }
}

function* takeAll(port: MessagePort): Generator<RunMessage> {
  for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port)) {
    yield entry.message as RunMessage;
  }
}

function leastBusy<T extends { readonly currentUsage: number }>(threads: readonly T[]): T | null {
  return threads.reduce<T | null>(
    (best, thread) => (best === null || thread.currentUsage < best.currentUsage ? thread : best),
    null,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
