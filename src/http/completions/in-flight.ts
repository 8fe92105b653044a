export interface Flight {
  /** Aborts when nobody wants the completion any more. */
  readonly signal: AbortSignal;
  readonly stop: () => void;
  /** Must be called once, on every path. */
  readonly end: () => void;
}

/**
 * The completions that are being written. When the server closes, they may finish for a while like replies; then they are
 * stopped.
 */
export class InFlight {
  /** By what stops it; the promise resolves when it has ended. */
  readonly #running = new Map<AbortController, Promise<void>>();
  #isClosing = false;

  /**
   * @param client aborts when whoever asked has gone
   * @returns null: nothing new is begun any more.
   */
  begin(client: AbortSignal): Flight | null {
    if (this.#isClosing) return null;
    const stopping = new AbortController();
    let settle = () => {};
    this.#running.set(
      stopping,
      new Promise((resolve) => {
        settle = resolve;
      }),
    );
    const end = () => {
      this.#running.delete(stopping);
      settle();
    };
    return { signal: AbortSignal.any([client, stopping.signal]), stop: () => stopping.abort(), end };
  }

  get count(): number {
    return this.#running.size;
  }

  /** Resolves when all have ended; those that still run after `grace` (a timer given by the caller) are stopped. */
  async drain(grace: Promise<unknown>): Promise<void> {
    this.#isClosing = true;
    const all = Promise.all(this.#running.values());
    await Promise.race([all, grace]);
    for (const stopping of this.#running.keys()) stopping.abort();
    await all;
  }
}
