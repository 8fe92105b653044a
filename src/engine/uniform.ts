/**
 * Randomness without state: a number is a pure function of where it is drawn, so nothing that happens
 * elsewhere (a neighbour that joins, a step that is repeated) can change it.
 *
 * Philox2x32-10 of Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC11); the tests hold its
 * published vectors.
 */
const MULTIPLIER = 0xd256d193;
const KEY_STEP = 0x9e3779b9;
const ROUNDS = 10;

/** Upper 32 bits of the 64-bit product; a double alone would lose the lower bits of it. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + (carry >>> 16)) >>> 0;
}

/**
 * Uniform in [0, 1), 53 bits; seed, stream and counter are unsigned 32-bit numbers.
 *
 * A seed gives 2^32 streams of 2^32 numbers each, and no two of them overlap.
 */
export function uniformAt(seed: number, stream: number, counter: number): number {
  let key = seed >>> 0;
  let left = counter >>> 0;
  let right = stream >>> 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high = multiplyHigh(MULTIPLIER, left);
    const low = Math.imul(MULTIPLIER, left) >>> 0;
    left = (high ^ key ^ right) >>> 0;
    right = low;
    key = (key + KEY_STEP) >>> 0;
  }
  return (left * 0x200000 + (right >>> 11)) / 0x20000000000000;
}
