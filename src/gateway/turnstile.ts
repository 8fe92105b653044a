import { CodedError } from '../std/coded-error.ts';
import { Pulse } from '../std/pulse.ts';
import type { Backlog } from './backlog.ts';

/** Events of one device that are worked on at the same time: so many answers can come to wait for it before it is noticed that it does not read. */
const insideMax = 4;
/** Events that may wait for their turn. */
const waitingMax = 256;

/** Lets the events of one device in, one after another and few at a time, and none while much waits to be read by it. */
export class Turnstile {
  readonly #backlog: Pick<Backlog, 'short'>;
  readonly #waiting: ((isOpen: boolean) => void)[] = [];
  readonly #left = new Pulse();
  #inside = 0;
  #isClosed = false;

  constructor(backlog: Pick<Backlog, 'short'>) {
    this.#backlog = backlog;
  }

  /**
   * Runs `work` when it is its turn; when the device is gone by then, nobody waits for it any more.
   *
   * @throws CodedError `rate_limited` when too many wait, and what `work` throws.
   */
  async pass(work: () => Promise<void>): Promise<void> {
    if (this.#inside < insideMax) this.#inside += 1;
    else if (!(await this.#placeGiven())) return;
    try {
      await this.#backlog.short();
      await work();
    } finally {
      this.#leave();
    }
  }

  /** Resolves when nothing is worked on; after `close`, for good. */
  async idle(): Promise<void> {
    while (this.#inside > 0) await this.#left.wait();
  }

  close(): void {
    this.#isClosed = true;
    for (const wake of this.#waiting.splice(0)) wake(false);
  }

  /** Whether it was given one: false when the device is gone. */
  async #placeGiven(): Promise<boolean> {
    if (this.#isClosed) return false;
    if (this.#waiting.length >= waitingMax)
      throw new CodedError('rate_limited', 'Too many of your events wait.', { retryAfterMs: 1000 });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The place goes to the one that has waited longest. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#inside -= 1;
      this.#left.beat();
    } else next(true);
  }
}
