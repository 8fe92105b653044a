import { GGMLQuantizationType } from '@huggingface/gguf';
import type { BlockReader, HalfReader } from './block-reader.ts';
import { bfloat16ToFloat32, createHalfTable, toFloat32, toUint16 } from './float-formats.ts';
import { readQ4K, readQ5K, readQ6K } from './gguf-super-blocks.ts';

/** How the values of a tensor lie in a GGUF file: blocks of a fixed number of values and bytes. */
export interface GgufEncoding {
  readonly blockValues: number;
  readonly blockBytes: number;
  /** `bytes` holds whole blocks. */
  decode(bytes: Uint8Array): Float32Array;
}

/** The encodings that can be read, by their number in the file. Block layouts: ggml-common.h of llama.cpp. */
export function createGgufEncodings(): ReadonlyMap<number, GgufEncoding> {
  const table = createHalfTable();
  const half: HalfReader = (block, at) => table[block[at]! | (block[at + 1]! << 8)]!;
  const blocks = (blockValues: number, blockBytes: number, read: BlockReader): GgufEncoding => ({
    blockValues,
    blockBytes,
    decode(bytes) {
      const count = bytes.length / blockBytes;
      const values = new Float32Array(count * blockValues);
      for (let block = 0; block < count; block++) {
        read(
          bytes.subarray(block * blockBytes, (block + 1) * blockBytes),
          values.subarray(block * blockValues, (block + 1) * blockValues),
          half,
        );
      }
      return values;
    },
  });
  const decodeHalves = (bytes: Uint8Array) => Float32Array.from(toUint16(bytes), (bits) => table[bits]!);
  const decodeBrains = (bytes: Uint8Array) => bfloat16ToFloat32(toUint16(bytes));
  return new Map([
    [GGMLQuantizationType.F32, { blockValues: 1, blockBytes: 4, decode: toFloat32 }],
    [GGMLQuantizationType.F16, { blockValues: 1, blockBytes: 2, decode: decodeHalves }],
    [GGMLQuantizationType.BF16, { blockValues: 1, blockBytes: 2, decode: decodeBrains }],
    [GGMLQuantizationType.Q8_0, blocks(32, 34, readQ8)],
    [GGMLQuantizationType.Q4_0, blocks(32, 18, readQ4)],
    [GGMLQuantizationType.Q4_1, blocks(32, 20, readQ4WithMinimum)],
    [GGMLQuantizationType.Q5_0, blocks(32, 22, readQ5)],
    [GGMLQuantizationType.Q5_1, blocks(32, 24, readQ5WithMinimum)],
    [GGMLQuantizationType.Q4_K, blocks(256, 144, readQ4K)],
    [GGMLQuantizationType.Q5_K, blocks(256, 176, readQ5K)],
    [GGMLQuantizationType.Q6_K, blocks(256, 210, readQ6K)],
  ]);
}

/** Scale, 32 signed bytes: value = scale * code. */
const readQ8: BlockReader = (block, values, half) => {
  const scale = half(block, 0);
  for (let i = 0; i < 32; i++) values[i] = scale * ((block[2 + i]! << 24) >> 24);
};

/** Scale, 16 bytes of codes: value = scale * (code - 8). */
const readQ4: BlockReader = (block, values, half) => {
  const scale = half(block, 0);
  readNibbles(block.subarray(2), values, (code) => scale * (code - 8));
};

/** Scale, minimum, 16 bytes of codes: value = scale * code + minimum. */
const readQ4WithMinimum: BlockReader = (block, values, half) => {
  const [scale, minimum] = [half(block, 0), half(block, 2)];
  readNibbles(block.subarray(4), values, (code) => scale * code + minimum);
};

/** Scale, 32 fifth bits, 16 bytes of codes: value = scale * (code - 16). */
const readQ5: BlockReader = (block, values, half) => {
  const scale = half(block, 0);
  const fifth = (place: number) => ((block[2 + (place >> 3)]! >> (place & 7)) & 1) << 4;
  readNibbles(block.subarray(6), values, (code, place) => scale * ((code | fifth(place)) - 16));
};

/** Scale, minimum, 32 fifth bits, 16 bytes of codes: value = scale * code + minimum. */
const readQ5WithMinimum: BlockReader = (block, values, half) => {
  const [scale, minimum] = [half(block, 0), half(block, 2)];
  const fifth = (place: number) => ((block[4 + (place >> 3)]! >> (place & 7)) & 1) << 4;
  readNibbles(block.subarray(8), values, (code, place) => scale * (code | fifth(place)) + minimum);
};

/** 16 bytes: the values 0-15 are in the low halves, 16-31 in the high ones. */
function readNibbles(
  codes: Uint8Array,
  values: Float32Array,
  toValue: (code: number, place: number) => number,
): void {
  for (let i = 0; i < 16; i++) {
    values[i] = toValue(codes[i]! & 15, i);
    values[i + 16] = toValue(codes[i]! >> 4, i + 16);
  }
}
