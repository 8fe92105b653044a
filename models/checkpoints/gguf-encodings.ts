import { GGMLQuantizationType } from '@huggingface/gguf';
import { createHalfTable, toFloat32, toUint16 } from './float-formats.ts';

/** How the values of a tensor lie in a GGUF file: blocks of a fixed number of values and bytes. */
export interface GgufEncoding {
  readonly blockValues: number;
  readonly blockBytes: number;
  /** `bytes` holds whole blocks. */
  decode(bytes: Uint8Array): Float32Array;
}

/** The encodings that can be read, by their number in the file. Block layouts: ggml-common.h of llama.cpp. */
export function createGgufEncodings(): ReadonlyMap<number, GgufEncoding> {
  const half = createHalfTable();
  return new Map([
    [GGMLQuantizationType.F32, { blockValues: 1, blockBytes: 4, decode: toFloat32 }],
    [
      GGMLQuantizationType.F16,
      {
        blockValues: 1,
        blockBytes: 2,
        decode: (bytes) => Float32Array.from(toUint16(bytes), (bits) => half[bits]!),
      },
    ],
    [
      GGMLQuantizationType.Q8_0,
      { blockValues: 32, blockBytes: 34, decode: (bytes) => decodeQ8(bytes, half) },
    ],
    [
      GGMLQuantizationType.Q4_1,
      { blockValues: 32, blockBytes: 20, decode: (bytes) => decodeQ4(bytes, half) },
    ],
  ]);
}

/** Block: scale (float16), 32 signed bytes. value = scale * code */
function decodeQ8(bytes: Uint8Array, half: Float32Array): Float32Array {
  const blocks = bytes.length / 34;
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(blocks * 32);
  for (let block = 0; block < blocks; block++) {
    const at = block * 34;
    const scale = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 0; i < 32; i++) values[block * 32 + i] = scale * codes[at + 2 + i]!;
  }
  return values;
}

/** Block: scale, minimum (float16 each), 16 bytes of 4-bit codes: values 0-15 low, 16-31 high. value = scale * code + minimum */
function decodeQ4(bytes: Uint8Array, half: Float32Array): Float32Array {
  const blocks = bytes.length / 20;
  const values = new Float32Array(blocks * 32);
  for (let block = 0; block < blocks; block++) {
    const at = block * 20;
    const scale = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const minimum = half[bytes[at + 2]! | (bytes[at + 3]! << 8)]!;
    for (let i = 0; i < 16; i++) {
      const codes = bytes[at + 4 + i]!;
      values[block * 32 + i] = scale * (codes & 15) + minimum;
      values[block * 32 + 16 + i] = scale * (codes >> 4) + minimum;
    }
  }
  return values;
}
