/**
 * Messages on their way from a worker to the one reader of a generation. Unbounded by itself: what a worker posts is
 * bounded by the tokens of a reply.
 */
export class Inbox<T> implements AsyncIterable<T> {
  readonly #messages: T[] = [];
  readonly #join: (earlier: T, later: T) => T | null;
  #wake: (() => void) | null = null;
  #isClosed = false;

  /** @param join one message that says as much as two which wait one after the other; null: there is none. */
  constructor(join: (earlier: T, later: T) => T | null) {
    this.#join = join;
  }

  push(message: T): void {
    if (this.#isClosed) return;
    const last = this.#messages.at(-1);
    const joined = last === undefined ? null : this.#join(last, message);
    if (joined === null) this.#messages.push(message);
    else this.#messages[this.#messages.length - 1] = joined;
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
