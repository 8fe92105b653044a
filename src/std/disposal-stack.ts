/**
 * Closes what was opened, in reverse order, all of it even when one fails. (Node 20 has `Symbol.asyncDispose`, but no
 * AsyncDisposableStack.)
 */
export class DisposalStack implements AsyncDisposable {
  readonly #closers: (() => unknown)[] = [];

  /** Registers an opened resource and hands it back. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.#closers.push(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** @throws the first failure, after everything has been closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
