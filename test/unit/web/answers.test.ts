/** Versions and alternatives of a reply as one row of answers. */
import { expect, test } from 'vitest';
import type { Alternative, ChatMessage, Siblings } from '../../../src/client/state.ts';
import { inOrder, noCounts, toAnswers } from '../../../web/src/answers.ts';

function reply(siblings: Siblings): ChatMessage {
  return {
    ...{ key: 'r', messageId: 'r', seq: 2, rev: 2, parentId: 'u', siblings, role: 'companion', text: 'a' },
    ...{ createdAt: '2026-01-05T09:00:00.000Z', delivery: 'sent', status: 'done', finishReason: 'stop' },
    ...{ generationId: 'g', reaction: null, error: null, refused: null },
  };
}

const only: Siblings = { index: 0, count: 1, previousId: null, nextId: null };
const middle: Siblings = { index: 1, count: 3, previousId: 'p', nextId: 'n' };

function alternatives(count: number, shownAt: number): Alternative[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ candidateId: `c${index}`, text: `${index}`, rank: index + 1, shown: index === shownAt },
  }));
}

test('a reply without versions and alternatives is the only answer', () => {
  expect(toAnswers(reply(only), [], noCounts)).toEqual({
    ...{ position: 1, total: 1, previous: null, next: null },
  });
});

test('alternatives come one after another', () => {
  const candidate = (candidateId: string) => ({ kind: 'alternative', messageId: 'r', candidateId });
  expect(toAnswers(reply(only), alternatives(3, 1), noCounts)).toEqual({
    ...{ position: 2, total: 3, previous: candidate('c0'), next: candidate('c2') },
  });
});

test('before the first alternative and after the last one come the other versions', () => {
  const version = (messageId: string) => ({ kind: 'version', messageId });
  expect(toAnswers(reply(middle), alternatives(1, 0), noCounts)).toEqual({
    ...{ position: 2, total: 3, previous: version('p'), next: version('n') },
  });
});

test('alternatives of other versions count where they are known', () => {
  const counts = new Map([
    [0, 2],
    [1, 2],
    [2, 0],
  ]);
  expect(toAnswers(reply(middle), alternatives(2, 1), counts)).toMatchObject({ position: 4, total: 5 });
});

test('a text that is none of the alternatives counts as the first', () => {
  expect(toAnswers(reply(only), alternatives(2, 5), noCounts)).toMatchObject({ position: 1, total: 2 });
});

test('alternatives keep the order in which they were first seen', () => {
  const ids = (order: string[]) => inOrder(alternatives(3, 0), order).map(({ candidateId }) => candidateId);
  expect(ids(['c1', 'c0', 'c2'])).toEqual(['c1', 'c0', 'c2']);
  expect(ids(['c2'])).toEqual(['c2', 'c0', 'c1']);
});
