import type { EngineRequest } from './request.ts';

export interface PrefixCacheSize {
  /** Blocks that the runner can keep; 0 switches the cache off. */
  readonly blocks: number;
  /** Tokens of a block. */
  readonly blockTokens: number;
}

interface Entry {
  /** Unique for ever: what came behind an entry that is gone can never be taken for something behind a new one. */
  readonly serial: number;
  readonly block: number;
}

/** Serial of the entry before the first block. */
const ROOT = 0;

/**
 * Which beginnings of prompts the runner still holds, in blocks of a fixed number of tokens. A block is found by all tokens up to
 * its end and by whose it is, so nobody ever meets a block of somebody else, not even by guessing a text: only blocks before
 * `publicTokens` are everybody's.
 *
 * Blocks are used up from the least recently used on. Whoever touches a block touches those before it afterwards, so a block is
 * never older than what continues it, and no block outlives its beginning.
 */
export class PrefixCache {
  readonly #blockTokens: number;
  readonly #free: number[];
  /** In the order of use, the oldest first. */
  readonly #entries = new Map<string, Entry>();
  #serial = ROOT;

  constructor({ blocks, blockTokens }: PrefixCacheSize) {
    this.#blockTokens = blockTokens;
    this.#free = Array.from({ length: blocks }, (_, index) => blocks - 1 - index);
  }

  /** Blocks that are taken. */
  get used(): number {
    return this.#entries.size;
  }

  /** Tokens that `use` would spare. At least one token is always left to run: somebody wants its logits. */
  reusableTokens(request: EngineRequest): number {
    return this.#find(request, request.prompt.length - 1).length * this.#blockTokens;
  }

  /** The blocks that the prompt begins with, in order. */
  use(request: EngineRequest): readonly number[] {
    const found = this.#find(request, request.prompt.length - 1);
    this.#touch(found);
    return found.map(({ entry }) => entry.block);
  }

  /**
   * Asks for a block for the tokens from `position` on, which are to be saved in it now.
   *
   * @returns null when they are kept already, or are not to be.
   */
  keep(request: EngineRequest, position: number): number | null {
    const before = this.#find(request, position);
    if (before.length * this.#blockTokens !== position) return null;
    const key = this.#keyOf(request, position, before.at(-1)?.entry.serial ?? ROOT);
    if (key === null) return null;
    if (this.#entries.has(key)) return null;
    // First what it continues, so that it is not taken for it; then again, since nothing may be older than what continues it.
    this.#touch(before);
    const block = this.#takeBlock(before.length);
    if (block === null) return null;
    this.#entries.set(key, { serial: ++this.#serial, block });
    this.#touch(before);
    return block;
  }

  /** The longest chain of known blocks that ends at `tokensMax` or before. */
  #find(request: EngineRequest, tokensMax: number): { key: string; entry: Entry }[] {
    const found: { key: string; entry: Entry }[] = [];
    for (let position = 0; position + this.#blockTokens <= tokensMax; position += this.#blockTokens) {
      const key = this.#keyOf(request, position, found.at(-1)?.entry.serial ?? ROOT);
      const entry = key === null ? undefined : this.#entries.get(key);
      if (key === null || entry === undefined) break;
      found.push({ key, entry });
    }
    return found;
  }

  /** Null where nothing may be kept. The key holds the tokens themselves: there is no hash that could collide. */
  #keyOf({ prompt, reuse }: EngineRequest, position: number, before: number): string | null {
    if (reuse === undefined) return null;
    const end = position + this.#blockTokens;
    const owner = end <= reuse.publicTokens ? '' : `/${reuse.scope}`;
    return `${before}:${prompt.subarray(position, end).join()}${owner}`;
  }

  /** Makes each the most recently used one, the last first. */
  #touch(found: readonly { key: string; entry: Entry }[]): void {
    for (const { key, entry } of found.toReversed()) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
  }

  /** A free block, or the oldest one; none where that is one of the `needed` newest ones, which it would continue. */
  #takeBlock(needed: number): number | null {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#entries.size <= needed) return null;
    for (const [key, { block }] of this.#entries) {
      this.#entries.delete(key);
      return block;
    }
    return null;
  }
}
