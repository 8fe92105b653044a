import assert from 'node:assert/strict';
import { Tensor } from 'onnxruntime-node';
import type { KvShape } from './kv-buffers.ts';
import { releaseArray } from './release-array.ts';

/** Keys and values of some rows of one length, a pair of tensors a layer: `[rows, H, length, D]`. Never changed once made. */
export interface CachedBatch {
  readonly rows: number;
  readonly length: number;
  readonly keys: readonly Tensor[];
  readonly values: readonly Tensor[];
}

/** What a slot holds: a row of a batch. Slots that were copied share it. */
export interface HeldRow {
  readonly batch: CachedBatch;
  readonly row: number;
}

/** Where batches lie, and how new ones are made of them. */
export interface ExportCache extends AsyncDisposable {
  /** Whether rows of several batches can become one. */
  readonly joins: boolean;
  /** How far a row of a batch may differ from the same row alone by rounding: of a logit, in units of the largest. */
  readonly rounding: number;
  /** The first `length` positions of these rows, as one batch: the one that they are already, where they are one. */
  gather(rows: readonly HeldRow[], length: number): Promise<CachedBatch>;
  /** Told of each batch that a run has returned. */
  adopt(batch: CachedBatch): void;
  /** Told after each pass which batches are still held; the others are not used any more. */
  keepOnly(held: ReadonlySet<CachedBatch>): void;
}

/** A batch without any position. */
export function emptyBatch({ layers, kvHeads, headSize }: KvShape, rows: number): CachedBatch {
  const none = () => new Tensor('float32', new Float32Array(0), [rows, kvHeads, 0, headSize]);
  return {
    rows,
    length: 0,
    keys: Array.from({ length: layers }, none),
    values: Array.from({ length: layers }, none),
  };
}

/** Whether these rows, cut to `length`, are a batch as it is. */
export function isWholeBatch(rows: readonly HeldRow[], length: number): boolean {
  const first = rows[0]?.batch;
  return (
    first?.length === length &&
    first.rows === rows.length &&
    rows.every(({ batch, row }, place) => batch === first && row === place)
  );
}

/** The batches that runs have returned, until nobody holds them any more. */
export class ReturnedBatches {
  readonly #giveBack: (tensor: Tensor) => void;
  readonly #batches = new Set<CachedBatch>();

  constructor(giveBack: (tensor: Tensor) => void) {
    this.#giveBack = giveBack;
  }

  add(batch: CachedBatch): void {
    this.#batches.add(batch);
  }

  keepOnly(held: ReadonlySet<CachedBatch>): void {
    for (const batch of this.#batches) {
      if (held.has(batch)) continue;
      this.#batches.delete(batch);
      for (const tensor of [...batch.keys, ...batch.values]) this.#giveBack(tensor);
    }
  }
}

/** Batches in the memory of the process. What a run has returned is given back as soon as nobody holds it; copies are left to the garbage collector. */
export class HostCache implements ExportCache {
  readonly joins = true;
  readonly rounding = 1e-5;
  readonly #shape: KvShape;
  readonly #returned = new ReturnedBatches(({ data }) => releaseArray(data as Float32Array));

  constructor(shape: KvShape) {
    this.#shape = shape;
  }

  async gather(rows: readonly HeldRow[], length: number): Promise<CachedBatch> {
    const first = rows[0]?.batch;
    assert(first !== undefined, 'a batch has rows');
    if (isWholeBatch(rows, length)) return first;
    for (const { batch } of rows) assert(batch.length >= length, `a slot does not hold ${length} tokens`);
    const layers = Array.from({ length: this.#shape.layers }, (_, layer) => layer);
    return {
      rows: rows.length,
      length,
      keys: layers.map((layer) => this.#copy(rows, length, (batch) => batch.keys[layer])),
      values: layers.map((layer) => this.#copy(rows, length, (batch) => batch.values[layer])),
    };
  }

  adopt(batch: CachedBatch): void {
    this.#returned.add(batch);
  }

  keepOnly(held: ReadonlySet<CachedBatch>): void {
    this.#returned.keepOnly(held);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #copy(
    rows: readonly HeldRow[],
    length: number,
    tensorOf: (batch: CachedBatch) => Tensor | undefined,
  ): Tensor {
    const { kvHeads, headSize } = this.#shape;
    const size = length * headSize;
    const result = new Float32Array(rows.length * kvHeads * size);
    rows.forEach(({ batch, row }, place) => {
      const source = tensorOf(batch)?.data as Float32Array;
      for (let head = 0; head < kvHeads; head += 1) {
        const from = (row * kvHeads + head) * batch.length * headSize;
        result.set(source.subarray(from, from + size), (place * kvHeads + head) * size);
      }
    });
    return new Tensor('float32', result, [rows.length, kvHeads, length, headSize]);
  }
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

  /** @throws when the slot holds nothing. Whatever is asked for counts as touched. */
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

  batches(): CachedBatch[] {
    return this.#rows.flatMap((row) => (row === undefined ? [] : [row.batch]));
  }
}
