/**
 * An int64 tensor's data that is written and read as 32-bit numbers, so that no BigInt is made per token.
 * The low half comes first: every platform the runtime is built for is little-endian.
 */
export interface Int64Array {
  readonly data: BigInt64Array;
  set(index: number, value: number): void;
}

export function createInt64Array(length: number): Int64Array {
  const data = new BigInt64Array(length);
  const halves = new Int32Array(data.buffer);
  return {
    data,
    set: (index, value) => {
      halves[2 * index] = value;
      halves[2 * index + 1] = value < 0 ? -1 : 0;
    },
  };
}

/** Copies int64 numbers that fit 32 bits. */
export function toInt32(data: BigInt64Array, start: number, end: number): Int32Array {
  const halves = new Int32Array(data.buffer, data.byteOffset, 2 * data.length);
  const result = new Int32Array(end - start);
  for (let i = 0; i < result.length; i += 1) result[i] = halves[2 * (start + i)]!;
  return result;
}
