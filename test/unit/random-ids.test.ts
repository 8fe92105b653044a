import { expect, it } from 'vitest';
import { createIds } from '../../src/random-ids.ts';

const noon = Date.parse('2026-11-30T12:00:00Z');

it.each([noon, noon + 0.5, 0, -1, 2 ** 48, Number.MAX_SAFE_INTEGER])(
  'are well-formed and never the same when the clock says %d',
  (now) => {
    const ids = createIds({ now: () => now });
    const made = Array.from({ length: 1000 }, () => [
      ...[ids.userId(), ids.conversationId(), ids.messageId(), ids.generationId(), ids.candidateId()],
    ]).flat();
    expect(new Set(made).size).toBe(made.length);
    for (const id of made) expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  },
);

it('stand in the order of time when the clock does not jump', () => {
  let now = noon;
  const ids = createIds({ now: () => now });
  const made = Array.from({ length: 1000 }, () => {
    now += 1;
    return ids.messageId();
  });
  expect(made).toStrictEqual([...made].sort());
});
