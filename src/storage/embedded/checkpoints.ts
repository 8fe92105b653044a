import { Worker } from 'node:worker_threads';
import { entryOf } from '../../worker-entry.ts';
import type { Connection } from './connection.ts';
import type { ToCheckpointThread } from './serve-checkpoints.ts';

/** Rows after whose writing it is time: of 1,200 turns, which change some 10,000 pages. SQLite itself begins at 32,000 (connection.ts). */
export const rowsMax = 6000;

/**
 * Takes the write-ahead log into the file beside the writes, in a thread that is started when it is first time. SQLite would do it inside
 * a commit, and whoever waits for an acknowledgement would wait for it, too: docs/adr/0017.
 */
export class Checkpoints implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #file: string;
  #thread: Worker | null = null;
  #rowsBefore = 0;
  #running: Promise<void> | null = null;

  constructor(connection: Connection, file: string) {
    this.#connection = connection;
    this.#file = file;
  }

  /** To be called between two transactions; begins one when it is time. */
  consider(): void {
    if (this.#running !== null || this.#connection.rowsWritten - this.#rowsBefore < rowsMax) return;
    this.#rowsBefore = this.#connection.rowsWritten;
    this.#running = this.#take().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when none is running. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #take(): Promise<void> {
    this.#thread ??= this.#start();
    await answerOf(this.#thread);
    // What was written in the meantime. With nothing left in it, the log begins anew instead of growing.
    this.#connection.checkpoint();
  }

  #start(): Worker {
    const { filename, execArgv } = entryOf('checkpoint');
    const thread = new Worker(filename, {
      workerData: { file: this.#file },
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
      ...(execArgv && { execArgv }),
    });
    // It is replaced when it is next time, and until then SQLite does it by itself.
    thread.on('error', () => {});
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = null;
    });
    return thread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
    const thread = this.#thread;
    this.#thread = null;
    if (thread === null) return;
    const exited = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage('close' satisfies ToCheckpointThread);
    await exited;
  }
}

/** Resolves when the thread has done it, or has ended. */
function answerOf(thread: Worker): Promise<void> {
  return new Promise((resolve) => {
    const answered = () => {
      thread.off('message', answered);
      thread.off('exit', answered);
      resolve();
    };
    thread.on('message', answered);
    thread.on('exit', answered);
    thread.postMessage('take' satisfies ToCheckpointThread);
  });
}
