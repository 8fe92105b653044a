/** What occupies a slot. */
export interface SlotHolder {
  /** Written by `KvSlots` alone. */
  slot: number | null;
  /** Tokens of the slot that count: what has to move along. */
  readonly cached: number;
}

export type CopySlot = (from: number, to: number, length: number) => void;

/**
 * Who holds which slot of a cache: of the one for replies or of the one for prompts. Slots in use are always 0..n-1 without a
 * gap: first those of what decodes (the batch), behind them those whose prompts are still being prefilled. A gap is closed
 * by copying the last one into it, so that no pass computes padding.
 */
export class KvSlots<Holder extends SlotHolder> {
  readonly capacity: number;
  readonly #copySlot: CopySlot;
  readonly #holders: Holder[] = [];
  #decoding = 0;
  #taken = 0;
  #freed = 0;

  constructor(capacity: number, copySlot: CopySlot) {
    this.capacity = capacity;
    this.#copySlot = copySlot;
  }

  get used(): number {
    return this.#holders.length;
  }

  get free(): number {
    return this.capacity - this.#holders.length;
  }

  /** Slots ever taken and ever freed; equal when nothing runs. */
  get totals(): { readonly taken: number; readonly freed: number } {
    return { taken: this.#taken, freed: this.#freed };
  }

  /** Those that decode, in the order of their slots: entry i holds slot i. */
  get decoding(): readonly Holder[] {
    return this.#holders.slice(0, this.#decoding);
  }

  get decodingCount(): number {
    return this.#decoding;
  }

  /** Gives a slot behind all others, empty. */
  take(holder: Holder): void {
    assert(holder.slot === null, 'the holder has a slot already');
    assert(this.free > 0, 'no slot is free');
    holder.slot = this.#holders.length;
    this.#holders.push(holder);
    this.#taken++;
  }

  /** Lets a block that was prefilled into the batch; it has to be the first one behind it. */
  join(block: readonly Holder[]): void {
    const end = this.#decoding + block.length;
    for (const holder of block) {
      const slot = this.#held(holder);
      assert(slot >= this.#decoding && slot < end, 'the block is not the first one behind the batch');
    }
    this.#decoding = end;
  }

  /** Takes the slots back, and closes the gaps. From the last one on: what leaves is then hardly ever copied. */
  release(leaving: readonly Holder[]): void {
    const lastFirst = [...leaving].sort((a, b) => this.#held(b) - this.#held(a));
    for (const holder of lastFirst) this.#release(holder);
  }

  #release(holder: Holder): void {
    let gap = this.#held(holder);
    if (gap < this.#decoding) {
      this.#decoding--;
      this.#move(this.#decoding, gap);
      gap = this.#decoding;
    }
    this.#move(this.#holders.length - 1, gap);
    this.#holders.pop();
    holder.slot = null;
    this.#freed++;
  }

  #move(from: number, to: number): void {
    if (from === to) return;
    const holder = this.#holders[from]!;
    if (holder.cached > 0) this.#copySlot(from, to, holder.cached);
    holder.slot = to;
    this.#holders[to] = holder;
  }

  /** The slot of a holder that truly holds it: a second release, or one of a stranger, is a bug. */
  #held(holder: Holder): number {
    const { slot } = holder;
    assert(slot !== null && this.#holders[slot] === holder, 'the holder does not hold its slot');
    return slot;
  }
}

function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`KvSlots: ${message}`);
}
