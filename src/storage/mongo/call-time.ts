import { AsyncLocalStorage } from 'node:async_hooks';

/** The database has not answered a call in time. */
export class Silence extends Error {}

/** How long a call may still take; begins anew whenever the call has come further. */
export class CallTime implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #isOver = false;
  /** Rejects with Silence. */
  readonly over: Promise<never>;

  constructor(ms: number) {
    let reject: (reason: Silence) => void = () => {};
    this.over = new Promise((_, rejected) => {
      reject = rejected;
    });
    this.over.catch(() => {});
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      reject(new Silence(`There was no answer for ${ms} ms.`));
    }, ms);
  }

  beginAnew(): void {
    if (!this.#isOver) this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}

const current = new AsyncLocalStorage<CallTime>();

/** The time of the call that is being made; null for one that takes the time it takes. */
export const callTime = (): CallTime | null => current.getStore() ?? null;

/** @throws Silence when `call` has not come further for so long. What it has begun may go on. */
export async function inTime<T>(ms: number, call: (time: CallTime) => Promise<T>): Promise<T> {
  using time = new CallTime(ms);
  return await Promise.race([current.run(time, () => call(time)), time.over]);
}
