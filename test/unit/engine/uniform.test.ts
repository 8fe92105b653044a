/** The generator against the vectors published with it (Random123, kat_vectors), and the use we make of it. */
import { expect, test } from 'vitest';
import { uniformAt } from '../../../src/engine/uniform.ts';

const fromWords = (high: number, low: number) => (high * 2 ** 21 + (low >>> 11)) / 2 ** 53;

test.each([
  { seed: 0, stream: 0, counter: 0, words: [0xff1dae59, 0x6cd10df2] },
  { seed: 0xffffffff, stream: 0xffffffff, counter: 0xffffffff, words: [0x2c3f628b, 0xab4fd7ad] },
  { seed: 0x13198a2e, stream: 0x85a308d3, counter: 0x243f6a88, words: [0xdd7ce038, 0xf62a4c12] },
])('philox2x32-10 gives the published number for seed $seed', ({ seed, stream, counter, words }) => {
  expect(uniformAt(seed, stream, counter)).toBe(fromWords(words[0]!, words[1]!));
});

test('the numbers spread evenly over [0, 1) along the counter, the streams and the seeds', () => {
  const axes = [
    (index: number) => uniformAt(7, 3, index),
    (index: number) => uniformAt(7, index, 3),
    (index: number) => uniformAt(index, 3, 7),
  ];
  for (const at of axes) {
    const buckets = new Array<number>(20).fill(0);
    for (let index = 0; index < 20_000; index++) buckets[Math.floor(at(index) * 20)]!++;
    // 1000 expected in each; the standard deviation is 31.
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(155);
  }
});
