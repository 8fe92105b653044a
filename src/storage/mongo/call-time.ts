import { AsyncLocalStorage } from 'node:async_hooks';

/** The database has not answered a call in time. */
export class Silence extends Error {}

export interface Patience {
  /** Milliseconds that a call may have since it came further. */
  readonly ms: number;
  /** Milliseconds that it may have in all; null: as many as it takes. */
  readonly inAllMs: number | null;
}

/** How long a call may still take; begins anew whenever the call has come further. */
export class CallTime implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #end: NodeJS.Timeout | undefined;
  #isOver = false;
  /** Rejects with Silence. */
  readonly over: Promise<never>;

  constructor({ ms, inAllMs }: Patience) {
    let reject: (reason: Silence) => void = () => {};
    this.over = new Promise((_, rejected) => {
      reject = rejected;
    });
    this.over.catch(() => {});
    const end = (afterMs: number) =>
      setTimeout(() => {
        this.#isOver = true;
        reject(new Silence(`There was no answer for ${afterMs} ms.`));
      }, afterMs);
    this.#timer = end(ms);
    this.#end = inAllMs === null ? undefined : end(inAllMs);
  }

  beginAnew(): void {
    if (!this.#isOver) this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#end);
  }
}

const current = new AsyncLocalStorage<CallTime>();

/** The time of the call that is being made; null for one that takes the time it takes. */
export const callTime = (): CallTime | null => current.getStore() ?? null;

/** @throws Silence when `call` takes longer than that. What it has begun may go on. */
export async function inTime<T>(patience: Patience, call: (time: CallTime) => Promise<T>): Promise<T> {
  using time = new CallTime(patience);
  return await Promise.race([current.run(time, () => call(time)), time.over]);
}
