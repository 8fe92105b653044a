import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
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
  type RunMessage,
} from './generation-host.ts';
import type { HostToMain, MainToHost } from './host-messages.ts';
import { within } from './within.ts';
import { noWork, sumWork } from './work-counters.ts';

/** Deaths in a row, each before a worker was ready, after which a further try would end alike. */
const startsMax = 5;
/** Alive for this long, a process counts as sound again. */
const soundAfterMs = 60_000;
const restartDelayMs = { first: 250, max: 10_000 } as const;
/** What the process needs for its own closing, beside the time that it waits for its workers. */
const closeMarginMs = 2_000;

const loading: HostStatus = {
  state: { kind: 'loading' },
  workers: 0,
  workersReady: 0,
  replaced: 0,
  work: noWork,
  notes: [],
};

interface ProcessRun {
  readonly request: GenerationRequest;
  readonly receive: (message: RunMessage) => void;
  readonly settle: () => void;
  isSent: boolean;
  isCancelled: boolean;
}

/**
 * Workers in the threads of a child process: when the runtime aborts it, its generations are lost and no socket is. A new
 * process takes its place, and what had not been sent to the old one waits for it.
 */
export class ProcessHost implements GenerationHost {
  readonly #options: HostOptions;
  readonly #runs = new Map<number, ProcessRun>();
  readonly #change = new Pulse();
  readonly #notes = new Set<string>();
  #child: ChildProcess | null = null;
  #childGone: Promise<void> = Promise.resolve();
  /** Of the child that is there. */
  #status: HostStatus = loading;
  #level: LoadLevel = 1;
  #runsMade = 0;
  /** What earlier children add to the figures of this one. */
  #before = { replaced: 0, work: noWork };
  /** In a row: of young processes, and of those among them that never were ready. */
  #deaths = { young: 0, unready: 0 };
  #restart: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#open();
  }

  start(request: GenerationRequest, receive: (message: RunMessage) => void): HostedRun {
    const id = this.#runsMade++;
    let settle = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const run: ProcessRun = { request, receive, settle, isSent: false, isCancelled: false };
    this.#runs.set(id, run);
    this.#sendRun(id, run);
    const cancel = () => {
      run.isCancelled = true;
      if (run.isSent) this.#send({ type: 'cancel', run: id });
    };
    return { settled, cancel };
  }

  status(): HostStatus {
    const { replaced, work } = this.#status;
    return {
      ...this.#status,
      replaced: this.#before.replaced + replaced,
      work: sumWork(this.#before.work, work),
      notes: [...this.#notes],
    };
  }

  changed(): Promise<void> {
    return this.#change.wait();
  }

  setLevel(level: LoadLevel): void {
    this.#level = level;
    this.#send({ type: 'level', level });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#restart);
    this.#send({ type: 'close' });
    // Nothing of ours is in it any more, so it may be ended in the middle of a step.
    if (!(await within(closeTimeoutMs + closeMarginMs, this.#childGone))) this.#child?.kill('SIGKILL');
    await this.#childGone;
    this.#endRuns({ type: 'lost', reason: 'The server is closing.' }, () => true);
  }

  #open(): void {
    const { filename, execArgv = [] } = entryOf('generation-host');
    const startedAt = performance.now();
    const child = fork(filename, {
      execArgv: [...execArgv],
      serialization: 'advanced',
      // What the runtime says when it aborts belongs beside the log.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.#child = child;
    child.on('message', (message: HostToMain) => this.#receive(message));
    // After `disconnect` no message of it comes any more.
    const gone = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(
      ([[code, signal]]) => `The generation process ended (${signal ?? `exit code ${code}`}).`,
      (error: Error) => `The generation process cannot start: ${error.message}`,
    );
    this.#childGone = gone.then((reason) => this.#takeDeath(reason, performance.now() - startedAt));
    const { workers, worker, workerFile } = this.#options;
    const options = { workers, worker, workerFile: workerFile?.href ?? null };
    this.#send({ type: 'open', options, level: this.#level });
    this.#options.onProcess?.({ kind: 'started', pid: child.pid });
    for (const [id, run] of this.#runs) this.#sendRun(id, run);
  }

  #takeDeath(reason: string, livedMs: number): void {
    const wasReady = this.#status.workersReady > 0;
    this.#child = null;
    const { replaced, work } = this.status();
    const lost = this.#isClosing ? 0 : this.#options.workers;
    this.#before = { replaced: replaced + lost, work };
    this.#status = loading;
    const isSound = wasReady && livedMs >= soundAfterMs;
    this.#deaths = {
      young: isSound ? 0 : this.#deaths.young + 1,
      unready: wasReady ? 0 : this.#deaths.unready + 1,
    };
    this.#endRuns({ type: 'lost', reason }, ({ isSent }) => isSent);
    if (this.#isClosing) return;
    const restartInMs = this.#deaths.unready < startsMax ? delayOf(this.#deaths.young) : null;
    this.#options.onProcess?.({ kind: 'ended', reason, restartInMs });
    if (restartInMs === null) this.#giveUp(reason);
    else this.#restart = setTimeout(() => this.#open(), restartInMs);
    this.#change.beat();
  }

  #giveUp(reason: string): void {
    const message = `${reason} It did so ${startsMax} times before its model was ready.`;
    this.#status = { ...this.#status, state: { kind: 'failed', reason: message } };
    this.#endRuns({ type: 'failed', code: 'model_unavailable', message }, () => true);
  }

  #endRuns(end: RunMessage, isMeant: (run: ProcessRun) => boolean): void {
    for (const [id, run] of this.#runs) {
      if (!isMeant(run)) continue;
      this.#runs.delete(id);
      run.receive(end);
      run.settle();
    }
  }

  #receive(message: HostToMain): void {
    if (message.type === 'status') {
      this.#status = message.status;
      for (const note of message.status.notes) this.#notes.add(note);
      this.#change.beat();
      return;
    }
    const run = this.#runs.get(message.run);
    if (message.type === 'run') run?.receive(message.message);
    else {
      this.#runs.delete(message.run);
      run?.settle();
    }
  }

  #sendRun(id: number, run: ProcessRun): void {
    if (this.#status.state.kind === 'failed' && this.#child === null) {
      const { reason: message } = this.#status.state;
      this.#runs.delete(id);
      run.receive({ type: 'failed', code: 'model_unavailable', message });
      run.settle();
      return;
    }
    run.isSent = this.#send({ type: 'start', run: id, request: run.request });
    if (run.isSent && run.isCancelled) this.#send({ type: 'cancel', run: id });
  }

  /** @returns whether there is a process that may get it; whether it did, its death would tell. */
  #send(message: MainToHost): boolean {
    if (this.#child === null || !this.#child.connected) return false;
    this.#child.send(message, () => {});
    return true;
  }
}

/** The first death may be an accident; after it, each waits longer. */
function delayOf(deaths: number): number {
  if (deaths <= 1) return 0;
  return Math.min(restartDelayMs.max, restartDelayMs.first * 2 ** (deaths - 2));
}
