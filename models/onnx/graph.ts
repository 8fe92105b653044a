import type { elementTypes } from './schema.ts';

export type ElementType = keyof typeof elementTypes;

const elementBytes: Readonly<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int64: 8,
  float16: 2,
};

/** A dimension: a size, or the name of one that is known only when the graph runs. */
export type Dimension = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly Dimension[];
}

/** A constant of the graph. Its bytes are made when they are written, so that no more than one is in memory. */
export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Little-endian bytes, in order; called once by the writer. */
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] };

export interface Node {
  readonly opType: string;
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
}

export function byteLength(initializer: Initializer): number {
  return initializer.dims.reduce((product, size) => product * size, elementBytes[initializer.type]);
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(array: Float32Array | BigInt64Array | Uint8Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
