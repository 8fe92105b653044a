import assert from 'node:assert/strict';
import type { KvShape } from './kv-buffers.ts';

/** Keys and values of some rows of one length, a pair of arrays a layer: `[rows, H, length, D]`. Never changed once made. */
export interface CachedBatch {
  readonly rows: number;
  readonly length: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

/** What a slot holds: a row of a batch. Slots that were copied share it. */
export interface HeldRow {
  readonly batch: CachedBatch;
  readonly row: number;
}

export function emptyBatch(shape: KvShape): CachedBatch {
  const none = Array.from({ length: shape.layers }, () => new Float32Array(0));
  return { rows: 1, length: 0, keys: none, values: none };
}

/**
 * The first `length` positions of these rows as one batch: the batch that they are already, where they are one, else a copy.
 */
export function gatherRows(shape: KvShape, rows: readonly HeldRow[], length: number): CachedBatch {
  const first = rows[0]?.batch;
  assert(first !== undefined, 'a batch has rows');
  const isWhole =
    first.length === length &&
    first.rows === rows.length &&
    rows.every(({ batch, row }, place) => batch === first && row === place);
  if (isWhole) return first;
  for (const { batch } of rows) assert(batch.length >= length, `a slot does not hold ${length} tokens`);
  const copy = (part: 'keys' | 'values', layer: number) => {
    const { kvHeads, headSize } = shape;
    const size = length * headSize;
    const result = new Float32Array(rows.length * kvHeads * size);
    rows.forEach(({ batch, row }, place) => {
      const source = batch[part][layer]!;
      for (let head = 0; head < kvHeads; head += 1) {
        const from = (row * kvHeads + head) * batch.length * headSize;
        result.set(source.subarray(from, from + size), (place * kvHeads + head) * size);
      }
    });
    return result;
  };
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
  return {
    rows: rows.length,
    length,
    keys: layers.map((layer) => copy('keys', layer)),
    values: layers.map((layer) => copy('values', layer)),
  };
}

/** Rows of slots, which are forgotten when none of the last `passesMax` passes touched them. */
export class HeldRows {
  readonly #rows: (HeldRow | undefined)[];
  readonly #touched: number[];
  readonly #passesMax: number;
  #pass = 0;

  constructor(slots: number, passesMax: number) {
    this.#rows = Array.from({ length: slots });
    this.#touched = new Array<number>(slots).fill(0);
    this.#passesMax = passesMax;
  }

  get(slot: number): HeldRow {
    const row = this.#rows[slot];
    assert(row !== undefined, `slot ${slot} holds nothing`);
    this.#touched[slot] = this.#pass;
    return row;
  }

  set(slot: number, row: HeldRow): void {
    assert(slot >= 0 && slot < this.#rows.length, `slot ${slot} does not exist`);
    this.#rows[slot] = row;
    this.#touched[slot] = this.#pass;
  }

  /** To be called after each pass. */
  age(): void {
    this.#pass += 1;
    this.#touched.forEach((pass, slot) => {
      if (this.#pass - pass >= this.#passesMax) this.#rows[slot] = undefined;
    });
  }
}
