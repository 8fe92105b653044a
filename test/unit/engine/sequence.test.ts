/** One completion: how its tokens become text, and how it ends. */
import { expect, test } from 'vitest';
import type { Vocabulary } from '../../../src/engine/model-runner.ts';
import type { EngineRequest } from '../../../src/engine/request.ts';
import { Sequence } from '../../../src/engine/sequence.ts';
import { createRequest } from '../../support/engine-drive.ts';

const END = 0;
const PIECES = ['', 'Hello', ' ', 'Per', 'son', ' A:', '\n', '.', ' 1.'];
const vocabulary: Vocabulary = {
  size: PIECES.length,
  tokenBytes: (id) => new TextEncoder().encode(PIECES[id]),
  isEnd: (id) => id === END,
};
const [HELLO, SPACE, PER, SON, A, DOT, ONE] = [1, 2, 3, 4, 5, 7, 8] as const;

function write(tokens: readonly number[], request: Partial<EngineRequest> = {}): Sequence {
  const sequence = new Sequence(createRequest({ tokensMax: 20, stop: ['Person A:'], ...request }), 0);
  for (const token of tokens) sequence.accept(token, -0.5, vocabulary);
  return sequence;
}

test('the end token ends a reply, counts as a token and is no text', () => {
  expect(write([HELLO, END]).toCandidate(null)).toEqual({
    index: 0,
    text: 'Hello',
    tokens: 2,
    finishReason: 'stop',
    logProb: -1,
    verdict: null,
  });
});

test('a stop string ends a reply with all its tokens counted', () => {
  expect(write([HELLO, SPACE, PER, SON, A]).toCandidate(null)).toMatchObject({
    text: 'Hello',
    tokens: 5,
    finishReason: 'stop',
  });
});

test('the last token allowed ends a reply, unless the reply stops with it', () => {
  expect(write([HELLO, HELLO], { tokensMax: 2 }).end).toBe('length');
  expect(write([HELLO, END], { tokensMax: 2 }).end).toBe('stop');
  expect(write([PER, SON, A], { tokensMax: 3 }).end).toBe('stop');
});

test('from the soft limit on a reply ends with its sentence, and a numeral is none', () => {
  const soft = { tokensSoftMax: 3 };
  expect(write([HELLO, DOT], soft).end).toBeNull();
  expect(write([HELLO, DOT, HELLO], soft).end).toBeNull();
  expect(write([HELLO, HELLO, HELLO, DOT], soft).toCandidate(null)).toMatchObject({
    finishReason: 'length',
    tokens: 4,
  });
  expect(write([HELLO, HELLO, HELLO, ONE], soft).end).toBeNull();
  expect(write([HELLO, HELLO, DOT], soft).end).toBe('length');
});

test('held-back text belongs to a reply that ends by itself', () => {
  expect(write([HELLO, SPACE, PER, END]).toCandidate(null).text).toBe('Hello Per');
  expect(write([HELLO, SPACE, PER], { tokensMax: 3 }).toCandidate(null).text).toBe('Hello Per');
});

test('a cancelled reply keeps what was shown, and nothing that was held back', () => {
  const sequence = write([HELLO, SPACE, PER]);
  expect(sequence.takeText()).toBe('Hello');
  sequence.cancel();
  expect(sequence.takeText()).toBe('');
  expect(sequence.toCandidate(null)).toMatchObject({ text: 'Hello', tokens: 3, finishReason: 'cancelled' });
});

test('cancelling what has ended changes nothing', () => {
  const sequence = write([HELLO, END]);
  sequence.cancel();
  expect(sequence.end).toBe('stop');
});

test('a failed sequence is no candidate, and one that still writes looks like a dropped one', () => {
  const sequence = write([HELLO]);
  expect(sequence.toCandidate(null)).toMatchObject({ text: 'Hello', finishReason: 'dropped' });
  sequence.fail();
  expect(() => sequence.toCandidate(null)).toThrow();
});

test('text that was written before is not taken again, and what continues it keeps its white space', () => {
  const sequence = write([SPACE, HELLO, END], { written: 'Hello' });
  expect(sequence.takeText()).toBe(' Hello');
  expect(sequence.toCandidate(null)).toMatchObject({ text: 'Hello Hello', tokens: 3 });
});

test('text is taken once', () => {
  const sequence = write([HELLO]);
  expect([sequence.takeText(), sequence.takeText()]).toEqual(['Hello', '']);
  sequence.accept(HELLO, 0, vocabulary);
  expect(sequence.takeText()).toBe('Hello');
});
