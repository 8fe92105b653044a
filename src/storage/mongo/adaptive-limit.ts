/** Never fewer calls at one time than these, and never more. */
const least = 64;
const most = 1024;
/** A call that took longer has waited for others, in the database or before it: there should be fewer at one time. */
const slowMs = 300;

/**
 * How many calls may be made at one time, found by how long they take: additive increase while they are fast, decrease while they are slow (as the
 * congestion control of TCP, Chiu and Jain 1989). A database of which more is asked than it does would answer nobody in time.
 */
export class AdaptiveLimit {
  #limit = 512;
  #inside = 0;

  /** Whether there is room; then `leave` has to follow. */
  enter(): boolean {
    if (this.#inside >= this.#limit) return false;
    this.#inside += 1;
    return true;
  }

  /** @param tookMs how long the call took, also one that failed. */
  leave(tookMs: number): void {
    // Only a limit that was needed says anything.
    if (tookMs > slowMs) this.#limit = Math.max(least, this.#limit - 1);
    else if (this.#inside > this.#limit / 2) this.#limit = Math.min(most, this.#limit + 4 / this.#limit);
    this.#inside -= 1;
  }
}
