/** The cache is bounded by characters, and what was used longest ago goes first. */
import { expect, test } from 'vitest';
import { createTokenCache } from '../../../src/onnx/token-cache.ts';

const ids = (...values: number[]) => Int32Array.from(values);

test('the text that was used longest ago makes room', () => {
  // An entry costs its text and its kind: "text:" is five characters.
  const cache = createTokenCache(3 * (5 + 10));
  const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(10));
  for (const [i, text] of texts.slice(0, 3).entries()) cache.set('text', text, ids(i));
  expect(cache.get('text', texts[0]!)).toEqual(ids(0));
  cache.set('text', texts[3]!, ids(3));
  expect(texts.map((text) => cache.get('text', text)?.[0])).toEqual([0, undefined, 2, 3]);
});

test('a text over the whole bound is not kept, and throws nothing else out', () => {
  const cache = createTokenCache(20);
  cache.set('text', 'short', ids(1));
  cache.set('text', 'x'.repeat(21), ids(2));
  expect(cache.get('text', 'x'.repeat(21))).toBeUndefined();
  expect(cache.get('text', 'short')).toEqual(ids(1));
});

test('text and template are different entries', () => {
  const cache = createTokenCache(100);
  cache.set('text', 'same', ids(1));
  expect(cache.get('template', 'same')).toBeUndefined();
});
