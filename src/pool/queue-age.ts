/** How long generations wait: the signal that the load level follows (ADR 0007). */

/** Weight of the newest interval in the mean. */
const smoothing = 0.1;
/** Longest interval that counts: a pause in which nobody waited says nothing about the speed. */
const intervalMsMax = 2000;
/** Before anything has started. */
const intervalMsGuess = 100;

export class QueueAge {
  #intervalMs = intervalMsGuess;
  #lastStart: number | null = null;

  /** A generation has got its rows. @param othersWait whether more of them do not yet; only then was the queue what it waited for. */
  started(now: number, othersWait: boolean): void {
    if (this.#lastStart !== null) {
      const interval = Math.min(intervalMsMax, now - this.#lastStart);
      this.#intervalMs += smoothing * (interval - this.#intervalMs);
    }
    this.#lastStart = othersWait ? now : null;
  }

  /** Milliseconds. @param waitingSince when each of those that wait came, in any order */
  at(now: number, waitingSince: readonly number[]): number {
    if (waitingSince.length === 0) return 0;
    const oldest = waitingSince.reduce((least, since) => Math.min(least, since), now);
    return Math.max(now - oldest, (waitingSince.length - 1) * this.#intervalMs);
  }
}
