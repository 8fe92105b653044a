interface Waiting {
  readonly begin: () => void;
  readonly moved: () => void;
}

/** Work under one key is done one after another, in the order in which it was asked for; work under different keys does not wait. */
export class OneAtATime {
  /** Who waits under each key that is worked under. */
  readonly #lines = new Map<string, Waiting[]>();

  /** @param moved told each time that the line moves on while the work waits in it, unless because what was worked at has failed. */
  async run<T>(key: string, work: () => Promise<T>, moved: () => void): Promise<T> {
    const line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, []);
    else await new Promise<void>((begin) => line.push({ begin, moved }));
    let isDone = false;
    try {
      const result = await work();
      isDone = true;
      return result;
    } finally {
      this.#moveOn(key, isDone);
    }
  }

  #moveOn(key: string, isDone: boolean): void {
    const line = this.#lines.get(key);
    const next = line?.shift();
    if (next === undefined) this.#lines.delete(key);
    else {
      next.begin();
      if (isDone) for (const { moved } of [next, ...(line ?? [])]) moved();
    }
  }
}
