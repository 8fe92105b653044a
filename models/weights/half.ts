const MANTISSA_DROPPED = 13;
const HALF_MAX_BITS = 0x477f_f000;
const SMALLEST_NORMAL_BITS = 0x3880_0000;
const INFINITE = 0x7c00;
const NOT_A_NUMBER = 0x7e00;
/** 2^24: one unit in the last place of a subnormal half. */
const SUBNORMAL_UNITS = 2 ** 24;

/** IEEE 754 half precision, as bits, rounded to the nearest and on a tie to the even one; what is too large becomes infinite. */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    result[i] = sign | magnitude(bits[i]! & 0x7fff_ffff, Math.abs(values[i]!));
  }
  return result;
}

function magnitude(bits: number, value: number): number {
  if (bits > 0x7f80_0000) return NOT_A_NUMBER;
  if (bits >= HALF_MAX_BITS) return INFINITE;
  if (bits < SMALLEST_NORMAL_BITS) return roundEven(value * SUBNORMAL_UNITS);
  const dropped = bits & ((1 << MANTISSA_DROPPED) - 1);
  const kept = (bits >>> MANTISSA_DROPPED) - (112 << 10);
  const middle = 1 << (MANTISSA_DROPPED - 1);
  return kept + (dropped > middle || (dropped === middle && (kept & 1) === 1) ? 1 : 0);
}

function roundEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
}
