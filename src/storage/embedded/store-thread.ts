import { Worker } from 'node:worker_threads';
import { CodedError } from '../../std/coded-error.ts';
import { entryOf } from '../../worker-entry.ts';
import type { Store } from '../store.ts';
import {
  fromSent,
  fromSentError,
  type StoreAnswer,
  type StoreCall,
  type StoreMethod,
  type StoreOpened,
  storeMethods,
  type ToStoreThread,
} from './store-calls.ts';

/** Calls that may wait for the thread. Some 3,000 are done in a second, so whoever comes behind so many would wait for seconds. */
const callsMax = 10_000;

/**
 * Opens the embedded store in a thread of its own, so that no write to the disk holds up a socket; calls that come close together
 * share a commit. A thread that dies is replaced at the next call.
 *
 * @param workerFile instead of workers/store.ts.
 * @throws CodedError `store_unavailable`, as `openEmbeddedStore`.
 */
export async function openStoreThread(options: { readonly file: string }, workerFile?: URL): Promise<Store> {
  const thread = new StoreThread(options, workerFile);
  await thread.open();
  const methods = storeMethods.map((method) => [
    method,
    (...args: readonly unknown[]) => thread.call(method, args),
  ]);
  // Every method of a store, with the arguments that its type allows.
  const store = Object.fromEntries(methods) as Pick<Store, StoreMethod>;
  return { ...store, [Symbol.asyncDispose]: () => thread.close() };
}

interface Waiting {
  readonly call: StoreCall;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Running {
  readonly worker: Worker;
  readonly exited: Promise<void>;
}

class StoreThread {
  readonly #options: { readonly file: string };
  readonly #workerFile: URL | undefined;
  readonly #waiting = new Map<number, Waiting>();
  /** Not yet handed over: calls of one turn of the event loop go together. */
  #outbox: StoreCall[] = [];
  #running: Promise<Running> | null = null;
  #lastId = 0;
  #isClosed = false;

  constructor(options: { readonly file: string }, workerFile: URL | undefined) {
    this.#options = options;
    this.#workerFile = workerFile;
  }

  async open(): Promise<void> {
    await this.#opened();
  }

  call(method: StoreMethod, args: readonly unknown[]): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(unavailable('The store is closed.'));
    if (this.#waiting.size >= callsMax) return Promise.reject(unavailable('Too much waits for the store.'));
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const call: StoreCall = { id: this.#lastId, method, args };
      this.#waiting.set(call.id, { call, resolve, reject });
      this.#outbox.push(call);
      if (this.#outbox.length === 1) setImmediate(() => void this.#handOver());
    });
  }

  /** What has been asked before is still done. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handOver();
    const running = await this.#running?.catch(() => null);
    running?.worker.postMessage('close' satisfies ToStoreThread);
    await running?.exited;
  }

  async #handOver(): Promise<void> {
    const calls = this.#outbox;
    if (calls.length === 0) return;
    this.#outbox = [];
    try {
      const { worker } = await this.#opened();
      worker.postMessage(calls satisfies ToStoreThread);
    } catch (error) {
      for (const { id } of calls) this.#take(id)?.reject(error);
    }
  }

  #opened(): Promise<Running> {
    this.#running ??= this.#start();
    return this.#running;
  }

  async #start(): Promise<Running> {
    const { filename, execArgv } = entryOf('store', this.#workerFile);
    const worker = new Worker(filename, {
      workerData: this.#options,
      // Each call's garbage is small and soon collected.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
      ...(execArgv && { execArgv }),
    });
    let reason: unknown = unavailable('The thread of the store ended.');
    worker.on('error', ({ message }) => {
      reason = unavailable(`The thread of the store broke off: ${message}`);
    });
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const lost = exited.then(() => this.#lose(reason));
    const opened = await Promise.race([firstMessage(worker), lost]);
    if (opened?.ok) {
      worker.on('message', (answers: readonly StoreAnswer[]) => this.#answer(answers));
      return { worker, exited };
    }
    if (opened !== undefined) reason = fromSentError(opened);
    await lost;
    throw reason;
  }

  #answer(answers: readonly StoreAnswer[]): void {
    for (const { id, result } of answers) {
      const waiting = this.#take(id);
      if (waiting === undefined) continue;
      if (result.ok) waiting.resolve(fromSent(waiting.call, result.value));
      else waiting.reject(fromSentError(result));
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** Whether the thread has done what waits for it is not known: who asks again is answered by what is stored. */
  #lose(reason: unknown): void {
    this.#running = null;
    this.#outbox = [];
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(reason);
  }
}

function firstMessage(worker: Worker): Promise<StoreOpened> {
  return new Promise((resolve) => worker.once('message', resolve));
}

const unavailable = (message: string) => new CodedError('store_unavailable', message);
