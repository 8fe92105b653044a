import assert from 'node:assert/strict';

/** What the cache must know of a model. */
export interface KvShape {
  readonly layers: number;
  /** Key/value heads (fewer than query heads where heads are grouped). */
  readonly kvHeads: number;
  readonly headSize: number;
}

/**
 * Masked positions weigh exactly zero and come last, so a wider tensor adds zeros to sums that are complete. That
 * leaves a row's result as it was wherever a kernel adds its terms in fixed lanes; some add what is left over
 * by their unrolled loop (of up to 64 terms) in other ways, so nothing may be left over: the widths of what is summed together
 * (new token and reply, then the prompt) are multiples of 64.
 */
const LANES = 64;

/** A cache of replies is read in every step by as many rows as there are: the fewer positions it has beyond those in use, the better. */
const REPLY_STEP = 16;

export type KvContents = 'replies' | 'prompts';

/** The smallest allowed width of the cache that holds so many positions; at least 1. */
export function widthFor(contents: KvContents, positions: number): number {
  const step = contents === 'replies' ? REPLY_STEP : LANES;
  return Math.max(1, Math.ceil(positions / step)) * step;
}

/** Places in a row of scores for a reply whose cache is `width` wide: with the new token, which comes before it, it fills its lanes. */
export function replyScoresFor(width: number): number {
  return Math.ceil((1 + width) / LANES) * LANES - 1;
}

/** Repacking a position costs about as much as reading it idly in so many passes. */
const REPACK_COST = 4;

/** A slot that took part in none of the last so many passes counts as left: see ModelRunner. */
const IDLE_PASSES_MAX = 64;

/** `count` positions of a slot, from `position` on. */
export interface KvExtent {
  readonly slot: number;
  readonly position: number;
  readonly count: number;
}

export interface KvSize {
  readonly contents: KvContents;
  readonly slots: number;
  /** Tokens that a slot can hold. */
  readonly positions: number;
  /** Memory for so many tokens in each slot is taken at once; the rest when it is needed. */
  readonly reserved?: number;
}

/**
 * Keys and values of all slots, one pair of arrays a layer: keys `[slots, heads, headSize, width]`, values
 * `[slots, heads, width, headSize]`. The first B slots are thus one contiguous tensor of a batch of B.
 *
 * The arrays are made once, at their largest; beyond what is reserved, memory is only touched as far as `width` reaches. `width` follows the
 * longest sequence that runs: it grows at once, and shrinks when reading the surplus has cost as much as repacking.
 *
 * Invariant: what lies outside the written positions is finite (zero or left over), so that a probability of
 * zero makes it vanish.
 */
export class KvBuffers implements KvTarget {
  readonly shape: KvShape;
  readonly contents: KvContents;
  readonly slots: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  #width: number;
  /** Positions written per slot; 0 once it counts as left. */
  readonly #written: Int32Array;
  readonly #lastPass: Int32Array;
  #pass = 0;
  #surplus = 0;

  constructor(shape: KvShape, size: KvSize) {
    this.shape = shape;
    this.contents = size.contents;
    this.slots = size.slots;
    const perPosition = size.slots * shape.kvHeads * shape.headSize;
    const length = perPosition * widthFor(size.contents, size.positions);
    const reserved = perPosition * (size.reserved ? widthFor(size.contents, size.reserved) : 0);
    // Written to, or the system would hand the memory out page by page for hours.
    const create = () => new Float32Array(length).fill(0, 0, reserved);
    this.keys = Array.from({ length: shape.layers }, create);
    this.values = Array.from({ length: shape.layers }, create);
    this.#width = widthFor(size.contents, 0);
    this.#written = new Int32Array(size.slots);
    this.#lastPass = new Int32Array(size.slots);
  }

  /** Positions a slot has room for at present. */
  get width(): number {
    return this.#width;
  }

  /**
   * Makes room for a pass in which each of `rows` appends `count` tokens at `position`.
   *
   * @returns whether the width changed: tensors over the arrays must then be made anew.
   */
  prepare(rows: readonly KvExtent[]): boolean {
    this.#pass += 1;
    for (const { slot, position, count } of rows) {
      assert(slot >= 0 && slot < this.slots, `slot ${slot} does not exist`);
      assert(position <= this.#written[slot]!, `slot ${slot} does not hold ${position} tokens`);
      this.#written[slot] = position + count;
      this.#lastPass[slot] = this.#pass;
    }
    let longest = 0;
    let live = 0;
    for (let slot = 0; slot < this.slots; slot += 1) {
      if (this.#pass - this.#lastPass[slot]! >= IDLE_PASSES_MAX) this.#written[slot] = 0;
      longest = Math.max(longest, this.#written[slot]!);
      if (this.#written[slot]! > 0) live += 1;
    }
    return this.#fit(widthFor(this.contents, longest), live);
  }

  /**
   * Writes what a pass returned for one row.
   *
   * @param source `new_kv`: for each head and token, layer by layer, a key, then a value.
   * @param offset where the row's first head begins in it.
   */
  write(source: Float32Array, offset: number, row: KvExtent): void {
    const { layers, kvHeads, headSize } = this.shape;
    const perToken = layers * 2 * headSize;
    const width = this.#width;
    for (let layer = 0; layer < layers; layer += 1) {
      const keys = this.keys[layer]!;
      const values = this.values[layer]!;
      for (let head = 0; head < kvHeads; head += 1) {
        const lines = (row.slot * kvHeads + head) * headSize * width;
        for (let token = 0; token < row.count; token += 1) {
          const position = row.position + token;
          let from = offset + (head * row.count + token) * perToken + layer * 2 * headSize;
          let to = lines + position;
          for (const end = to + headSize * width; to < end; to += width) keys[to] = source[from++]!;
          to = lines + position * headSize;
          for (const end = to + headSize; to < end; to += 1) values[to] = source[from++]!;
        }
      }
    }
  }

  /** Makes `to` hold the first `length` positions of `from`. */
  copy(from: number, to: number, length: number): void {
    assert(length <= this.#written[from]!, `slot ${from} does not hold ${length} tokens`);
    this.#written[to] = length;
    this.#lastPass[to] = this.#pass;
    if (from === to) return;
    const perSlot = this.shape.kvHeads * this.shape.headSize * this.#width;
    for (const layers of [this.keys, this.values]) {
      for (const layer of layers) layer.copyWithin(to * perSlot, from * perSlot, (from + 1) * perSlot);
    }
  }

  /** Copies positions of a slot into tensors of another width, `[1, heads, …]` a layer, from their first position on. */
  extract({ slot, position, count }: KvExtent, target: KvTarget): void {
    copyPositions({ kv: this, slot, position }, { kv: target, slot: 0, position: 0 }, count);
  }

  /** The way back: `count` positions from tensors of another width, whose place `prepare` has made. */
  insert(source: KvTarget, { slot, position, count }: KvExtent): void {
    copyPositions({ kv: source, slot: 0, position: 0 }, { kv: this, slot, position }, count);
  }

  #fit(needed: number, live: number): boolean {
    if (needed === this.#width) {
      this.#surplus = 0;
      return false;
    }
    if (needed < this.#width) {
      this.#surplus += (this.#width - needed) * live;
      if (this.#surplus < REPACK_COST * needed * live) return false;
    }
    this.#surplus = 0;
    this.#repack(needed);
    return true;
  }

  /** Moves every line to its place at the new width: from the front when lines move down, else from the back. */
  #repack(width: number): void {
    const { kvHeads, headSize } = this.shape;
    const old = this.#width;
    const down = width < old;
    for (let turn = 0; turn < this.slots; turn += 1) {
      const slot = down ? turn : this.slots - 1 - turn;
      // The rows of this pass are not written yet: their new positions count, but there is nothing to move.
      const length = Math.min(this.#written[slot]!, old, width);
      if (length === 0) continue;
      const lines = kvHeads * headSize;
      for (const keys of this.keys)
        moveLines(keys, { first: slot * lines, lines, unit: 1, length, old, width });
      const heads = { first: slot * kvHeads, lines: kvHeads, unit: headSize, length, old, width };
      for (const values of this.values) moveLines(values, heads);
    }
    this.#width = width;
  }
}

/** Keys and values of some slots, as `KvBuffers` lays them out: a layer each, at least `slots * heads * headSize * width` long. */
export interface KvTarget {
  readonly shape: KvShape;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  readonly width: number;
}

interface KvPlace {
  readonly kv: KvTarget;
  readonly slot: number;
  readonly position: number;
}

/** Between tensors of one shape, whatever their widths; a line of keys is one number a position, of values a head's. */
function copyPositions(from: KvPlace, to: KvPlace, count: number): void {
  const { kvHeads, headSize } = from.kv.shape;
  for (const { part, lines, unit } of [
    { part: 'keys', lines: kvHeads * headSize, unit: 1 },
    { part: 'values', lines: kvHeads, unit: headSize },
  ] as const) {
    const start = ({ kv, slot, position }: KvPlace, line: number) =>
      ((slot * lines + line) * kv.width + position) * unit;
    from.kv[part].forEach((source, layer) => {
      const target = to.kv[part][layer]!;
      for (let line = 0; line < lines; line += 1) {
        const first = start(from, line);
        target.set(source.subarray(first, first + count * unit), start(to, line));
      }
    });
  }
}

interface LineMove {
  /** Index of the first line. */
  readonly first: number;
  readonly lines: number;
  /** Numbers per position. */
  readonly unit: number;
  /** Positions in use. */
  readonly length: number;
  /** Positions per line, before and after. */
  readonly old: number;
  readonly width: number;
}

function moveLines(array: Float32Array, { first, lines, unit, length, old, width }: LineMove): void {
  const [from, to, count] = [old * unit, width * unit, length * unit];
  if (to < from) {
    for (let line = first; line < first + lines; line += 1) moveDown(array, [line * from, line * to], count);
  } else {
    for (let line = first + lines - 1; line >= first; line -= 1)
      moveUp(array, [line * from, line * to], count);
  }
}

/** Lines of keys are so short that calling `copyWithin` would cost more than the copy. */
function moveDown(array: Float32Array, [from, to]: readonly [number, number], count: number): void {
  for (let i = 0; i < count; i += 1) array[to + i] = array[from + i]!;
}

function moveUp(array: Float32Array, [from, to]: readonly [number, number], count: number): void {
  for (let i = count - 1; i >= 0; i -= 1) array[to + i] = array[from + i]!;
}
