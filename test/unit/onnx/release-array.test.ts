/** Memory that is given back is free at once, whenever the garbage collector comes. */
import { expect, test } from 'vitest';
import { releaseArray } from '../../../src/onnx/release-array.ts';

const MEGABYTE = 2 ** 20;

test('the memory of released arrays does not pile up', () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 200; i += 1) releaseArray(new Float32Array(MEGABYTE / 4).fill(i));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * MEGABYTE);
});

test('a released array is empty, and so are all views of its memory', () => {
  const array = new Float32Array(8).fill(1);
  const view = array.subarray(2, 4);
  releaseArray(view);
  expect([array.length, view.length]).toEqual([0, 0]);
});
