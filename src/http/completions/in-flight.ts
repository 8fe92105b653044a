/**
 * The completions that are being written. When the server closes, they may finish for a while like replies; then they are
 * stopped.
 */
export class InFlight {
  /** By what stops it: resolves when it has ended. */
  readonly #running = new Map<AbortController, Promise<void>>();
  #isClosing = false;

  /**
   * @param client aborts when whoever asked has gone
   * @returns null: nothing new is begun any more. `end` must be called once, on every path.
   */
  begin(client: AbortSignal): { readonly signal: AbortSignal; readonly end: () => void } | null {
    if (this.#isClosing) return null;
    const closing = new AbortController();
    let settle = () => {};
    this.#running.set(
      closing,
      new Promise((resolve) => {
        settle = resolve;
      }),
    );
    const end = () => {
      this.#running.delete(closing);
      settle();
    };
    return { signal: AbortSignal.any([client, closing.signal]), end };
  }

  get count(): number {
    return this.#running.size;
  }

  /** Resolves when all have ended; those that still run after `grace` (a timer given by the caller) are stopped. */
  async drain(grace: Promise<unknown>): Promise<void> {
    this.#isClosing = true;
    const all = Promise.all(this.#running.values());
    await Promise.race([all, grace]);
    for (const closing of this.#running.keys()) closing.abort();
    await all;
  }
}
