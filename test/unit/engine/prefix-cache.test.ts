/** Which beginnings are found again, by whom, and what gives way when there is no room. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PrefixCache } from '../../../src/engine/prefix-cache.ts';
import type { EngineRequest } from '../../../src/engine/request.ts';
import { createRequest } from '../../support/engine-drive.ts';

const BLOCK = 2;

/** @param text one token a letter */
function asks(text: string, scope: string | null = 'ann', publicTokens = 0): EngineRequest {
  const prompt = Int32Array.from(text, (letter) => letter.charCodeAt(0));
  return createRequest({ prompt, ...(scope === null ? {} : { reuse: { scope, publicTokens } }) });
}

/** Keeps all whole blocks of a prompt; the blocks that were to be saved. */
function keepAll(cache: PrefixCache, request: EngineRequest): (number | null)[] {
  const blocks: (number | null)[] = [];
  for (let position = 0; position + BLOCK <= request.prompt.length; position += BLOCK) {
    blocks.push(cache.keep(request, position));
  }
  return blocks;
}

test('a prompt finds the blocks it begins with, in their order, and always has a token left to run', () => {
  const cache = new PrefixCache({ blocks: 8, blockTokens: BLOCK });
  expect(keepAll(cache, asks('abcdef'))).toEqual([0, 1, 2]);
  expect(cache.use(asks('abcdefg'))).toEqual([0, 1, 2]);
  expect(cache.use(asks('abcdef'))).toEqual([0, 1]);
  expect(cache.use(asks('abcdXY'))).toEqual([0, 1]);
  expect(cache.use(asks('Xbcdef'))).toEqual([]);
  expect(cache.use(asks('a'))).toEqual([]);
  expect(cache.reusableTokens(asks('abcdXY'))).toBe(4);
});

test('what is kept already is not kept twice', () => {
  const cache = new PrefixCache({ blocks: 8, blockTokens: BLOCK });
  keepAll(cache, asks('abcd'));
  expect(keepAll(cache, asks('abcdef'))).toEqual([null, null, 2]);
});

test('the same tokens behind another beginning are another block', () => {
  const cache = new PrefixCache({ blocks: 8, blockTokens: BLOCK });
  keepAll(cache, asks('abZZ'));
  expect(cache.use(asks('cdZZ.'))).toEqual([]);
  expect(keepAll(cache, asks('cdZZ'))).toEqual([2, 3]);
});

test('nobody finds what somebody else has written, but everybody what is public', () => {
  const cache = new PrefixCache({ blocks: 8, blockTokens: BLOCK });
  keepAll(cache, asks('abcdef', 'ann', 3));
  expect(cache.use(asks('abcdef.', 'ann', 3))).toEqual([0, 1, 2]);
  // The second block holds a token that is not public.
  expect(cache.use(asks('abcdef.', 'bob', 3))).toEqual([0]);
  expect(cache.use(asks('abcdef.', null))).toEqual([]);
});

test('a request without a scope leaves nothing behind', () => {
  const cache = new PrefixCache({ blocks: 8, blockTokens: BLOCK });
  expect(keepAll(cache, asks('abcd', null))).toEqual([null, null]);
  expect(cache.used).toBe(0);
});

test('without room the least recently used one gives way, never one that its successor needs', () => {
  const cache = new PrefixCache({ blocks: 3, blockTokens: BLOCK });
  keepAll(cache, asks('abcd'));
  keepAll(cache, asks('xy'));
  cache.use(asks('abcd.'));
  keepAll(cache, asks('12'));
  expect(cache.use(asks('xy.'))).toEqual([]);
  expect(cache.use(asks('abcd.'))).toHaveLength(2);
  // A chain longer than the cache keeps its beginning.
  const small = new PrefixCache({ blocks: 2, blockTokens: BLOCK });
  expect(keepAll(small, asks('abcdefgh'))).toEqual([0, 1, null, null]);
  expect(small.use(asks('abcdefgh.'))).toEqual([0, 1]);
});

test('a cache of no blocks keeps nothing', () => {
  const cache = new PrefixCache({ blocks: 0, blockTokens: BLOCK });
  expect(keepAll(cache, asks('abcd'))).toEqual([null, null]);
  expect(cache.reusableTokens(asks('abcd.'))).toBe(0);
});

test('whatever comes and goes, a block that is found holds the very tokens it is found for', () => {
  const anyText = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 12 });
  const anyCalls = fc.array(fc.record({ text: anyText, scope: fc.constantFrom('ann', 'bob') }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(anyCalls, fc.integer({ min: 0, max: 6 }), (calls, blocks) => {
      const cache = new PrefixCache({ blocks, blockTokens: BLOCK });
      const saved = new Map<number, string>();
      for (const { text, scope } of calls) {
        const request = asks(text, scope);
        const used = cache.use(request);
        expect(used.length * BLOCK).toBeLessThan(text.length);
        used.forEach((block, place) => {
          expect(saved.get(block)).toBe(`${scope}:${text.slice(0, (place + 1) * BLOCK)}`);
        });
        keepAll(cache, request).forEach((block, place) => {
          if (block !== null) saved.set(block, `${scope}:${text.slice(0, (place + 1) * BLOCK)}`);
        });
        expect(cache.used).toBeLessThanOrEqual(blocks);
      }
    }),
    { seed: 42, numRuns: 300 },
  );
});
