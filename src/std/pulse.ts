/**
 * Wakes everybody who waits for "something changed". A waiter looks at the state again afterwards: nothing is queued,
 * so a slow waiter costs nothing and misses nothing but intermediate states.
 */
export class Pulse {
  #wake: () => void = () => {};
  #next: Promise<void> = this.#arm();

  #arm(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Resolves at the next beat after the call. */
  wait(): Promise<void> {
    return this.#next;
  }

  beat(): void {
    const wake = this.#wake;
    this.#next = this.#arm();
    wake();
  }
}
