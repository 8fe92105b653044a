/** Time, as an argument: pure code and tests get their own. */
export interface Clock {
  /** Milliseconds since the epoch, for what is stored and shown. May jump. */
  now(): number;
  /** Milliseconds from an arbitrary start, for durations. Never goes back. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
