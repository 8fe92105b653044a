/** Bytes to text: equal to the platform's decoder where the bytes are UTF-8, silent where they are not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Detokenizer } from '../../../src/engine/detokenizer.ts';

const utf8 = new TextEncoder();

/** What comes out of pushes, one by one. */
function push(...tokens: readonly (readonly number[])[]): string[] {
  const detokenizer = new Detokenizer();
  return tokens.map((bytes) => detokenizer.push(Uint8Array.from(bytes)));
}

function split(bytes: Uint8Array, cuts: readonly number[]): number[][] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => [...bytes.slice(from, places[index] ?? bytes.length)]);
}

test.each([
  { name: 'plain letters come out at once', tokens: [[0x61], [0x62, 0x63]], texts: ['a', 'bc'] },
  { name: 'a code point waits for its last byte', tokens: [[0x61, 0xc3], [0xa9]], texts: ['a', 'é'] },
  { name: 'an emoji comes out as a whole', tokens: [[0xf0], [0x9f, 0x98], [0x80]], texts: ['', '', '😀'] },
  {
    name: 'tokens without bytes do not disturb a code point',
    tokens: [[0xc3], [], [0xa9]],
    texts: ['', '', 'é'],
  },
  {
    name: 'a code point cut off at the end is dropped',
    tokens: [[0x61], [0xf0, 0x9f, 0x98]],
    texts: ['a', ''],
  },
  { name: 'a code point cut off in the middle is dropped', tokens: [[0xe6, 0xbc], [0x61]], texts: ['', 'a'] },
  {
    name: 'a cut-off code point does not swallow the next',
    tokens: [
      [0xf0, 0x9f],
      [0xc3, 0xa9],
    ],
    texts: ['', 'é'],
  },
  {
    name: 'bytes that can begin nothing are dropped',
    tokens: [[0x80, 0x61, 0xff, 0xc0, 0x62]],
    texts: ['ab'],
  },
  { name: 'overlong forms are dropped', tokens: [[0xc0, 0xaf, 0xe0, 0x80, 0xaf, 0x61]], texts: ['a'] },
  { name: 'lone surrogates are dropped', tokens: [[0xed, 0xa0, 0x80, 0x61]], texts: ['a'] },
  { name: 'what lies beyond U+10FFFF is dropped', tokens: [[0xf4, 0x90, 0x80, 0x80, 0x61]], texts: ['a'] },
  {
    name: 'a replacement character that the model wrote stays',
    tokens: [[0xef, 0xbf], [0xbd]],
    texts: ['', '\uFFFD'],
  },
])('$name', ({ tokens, texts }) => {
  expect(push(...tokens)).toEqual(texts);
});

test('text comes out unchanged, however its bytes are cut into tokens', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (text, cuts) => {
        expect(push(...split(utf8.encode(text), cuts)).join('')).toBe(text);
      },
    ),
    { seed: 42, numRuns: 400 },
  );
});

test('any bytes give what the decoder of the platform gives, less its replacement characters', () => {
  const interesting = fc.constantFrom(
    0x41,
    0x80,
    0xa0,
    0x9f,
    0x90,
    0x8f,
    0xbf,
    0xc2,
    0xe0,
    0xed,
    0xe6,
    0xf0,
    0xf4,
    0xf5,
  );
  const anyBytes = fc.array(fc.oneof(interesting, fc.integer({ min: 0, max: 255 })), { maxLength: 24 });
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  fc.assert(
    fc.property(anyBytes, fc.array(fc.nat()), (values, cuts) => {
      const bytes = Uint8Array.from(values);
      const expected = decoder.decode(bytes).replaceAll('\uFFFD', '');
      const pieces = push(...split(bytes, cuts));
      expect(pieces.join('').replaceAll('\uFFFD', '')).toBe(expected);
      for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
    }),
    { seed: 42, numRuns: 2000 },
  );
});
