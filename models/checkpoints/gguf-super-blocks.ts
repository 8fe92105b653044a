/** Blocks of 256 values whose parts have scales of their own, which are codes themselves ("K-quants" of llama.cpp). */
import type { BlockReader } from './block-reader.ts';

/**
 * Scale, scale of minimums, 12 bytes of eight 6-bit scales and minimums, 128 bytes of 4-bit codes; parts of 32:
 * value = scale * partScale * code - minimumScale * partMinimum.
 */
export const readQ4K: BlockReader = (block, values, half) => {
  const parts = readParts(block.subarray(4, 16), half(block, 0), half(block, 2));
  const codes = block.subarray(16);
  for (const [part, { scale, minimum }] of parts.entries()) {
    for (let i = 0; i < 32; i++) values[part * 32 + i] = scale * nibbleAt(codes, part, i) - minimum;
  }
};

/** As Q4_K, with 32 bytes of fifth bits before the codes: bit `part` of byte i belongs to value i of that part. */
export const readQ5K: BlockReader = (block, values, half) => {
  const parts = readParts(block.subarray(4, 16), half(block, 0), half(block, 2));
  const [fifths, codes] = [block.subarray(16, 48), block.subarray(48)];
  for (const [part, { scale, minimum }] of parts.entries()) {
    for (let i = 0; i < 32; i++) {
      const code = nibbleAt(codes, part, i) | (((fifths[i]! >> part) & 1) << 4);
      values[part * 32 + i] = scale * code - minimum;
    }
  }
};

/**
 * 128 bytes of low four bits, 64 of high two bits, 16 signed scales, scale; parts of 16: value = scale * partScale * (code - 32). Each half
 * of the block (128 values) has four lines of 32: two in the low halves of its bytes, two in the high ones.
 */
export const readQ6K: BlockReader = (block, values, half) => {
  const scale = half(block, 208);
  for (let place = 0; place < 256; place++) {
    const [side, line, i] = [place >> 7, (place >> 5) & 3, place & 31];
    const low = (block[side * 64 + (line & 1) * 32 + i]! >> (line < 2 ? 0 : 4)) & 15;
    const high = (block[128 + side * 32 + i]! >> (2 * line)) & 3;
    const partScale = (block[192 + (place >> 4)]! << 24) >> 24;
    values[place] = scale * partScale * ((low | (high << 4)) - 32);
  }
};

/** Two parts share 32 bytes: the first has the low halves, the second the high ones. */
function nibbleAt(codes: Uint8Array, part: number, i: number): number {
  return (codes[(part >> 1) * 32 + i]! >> (part % 2 === 0 ? 0 : 4)) & 15;
}

/** Eight scales and minimums of six bits: the first four have a byte each, whose top two bits belong to the last four. */
function readParts(
  packed: Uint8Array,
  scaleUnit: number,
  minimumUnit: number,
): { scale: number; minimum: number }[] {
  return Array.from({ length: 8 }, (_, part) => {
    const at = part % 4;
    const isEarly = part < 4;
    const scale = isEarly ? packed[at]! & 63 : (packed[at + 8]! & 15) | ((packed[at]! >> 6) << 4);
    const minimum = isEarly ? packed[at + 4]! & 63 : (packed[at + 8]! >> 4) | ((packed[at + 4]! >> 6) << 4);
    return { scale: scaleUnit * scale, minimum: minimumUnit * minimum };
  });
}
