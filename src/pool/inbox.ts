/**
 * Messages on their way from a worker to the one reader of a generation. Unbounded by itself: what a worker posts is
 * bounded by the tokens of a reply.
 */
export class Inbox<T> implements AsyncIterable<T> {
  readonly #messages: T[] = [];
  #wake: (() => void) | null = null;
  #isClosed = false;

  push(message: T): void {
    if (this.#isClosed) return;
    this.#messages.push(message);
    this.#wakeReader();
  }

  /** Nothing comes after this; what is there is still read. */
  close(): void {
    this.#isClosed = true;
    this.#wakeReader();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#isClosed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
