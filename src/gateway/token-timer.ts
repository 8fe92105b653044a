import type { Clock } from '../std/clock.ts';

/** Before the end of a token its device is told. */
const noticeMs = 60_000;
/** setTimeout takes no longer delay; such a token outlives any connection. */
const timerMsMax = 2 ** 31 - 1;

export interface TokenTimerEvents {
  /** @param expiresAt milliseconds since the epoch */
  expiring(expiresAt: number): void;
  expired(): void;
}

/** Tells when the token of one connection ends, and shortly before. */
export class TokenTimer implements Disposable {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #events: TokenTimerEvents;
  #timers: readonly NodeJS.Timeout[] = [];

  constructor(clock: Pick<Clock, 'now'>, events: TokenTimerEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** From now on another token counts. @param expiresAt milliseconds since the epoch */
  set(expiresAt: number): void {
    this[Symbol.dispose]();
    const leftMs = expiresAt - this.#clock.now();
    if (leftMs > timerMsMax) return;
    this.#timers = [
      setTimeout(() => this.#events.expiring(expiresAt), Math.max(0, leftMs - noticeMs)),
      setTimeout(() => this.#events.expired(), Math.max(0, leftMs)),
    ];
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }
}
