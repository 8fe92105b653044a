/** How a list of messages becomes rows: day separators, groups, and what stays the same row. */
import { expect, test } from 'vitest';
import type { ChatMessage } from '../../../src/client/state.ts';
import { toRows } from '../../../web/src/rows.ts';
import { dayText, faultText } from '../../../web/src/words.ts';

function message(key: string, role: ChatMessage['role'], createdAt: Date): ChatMessage {
  return {
    key,
    messageId: key,
    seq: 1,
    rev: 1,
    parentId: null,
    siblings: { index: 0, count: 1, previousId: null, nextId: null },
    role,
    text: key,
    createdAt: createdAt.toISOString(),
    delivery: 'sent',
    status: 'done',
    finishReason: null,
    generationId: null,
    reaction: null,
    error: null,
    refused: null,
  };
}

/** Local time, as the reader sees it. */
const local = (day: number, hour: number, minute = 0) => new Date(2026, 0, day, hour, minute);

test('each local day starts once', () => {
  const rows = toRows([
    message('a', 'user', local(5, 23, 58)),
    message('b', 'companion', local(5, 23, 59)),
    message('c', 'user', local(6, 0, 1)),
  ]);
  expect(rows.map(({ startsDay }) => startsDay)).toEqual([true, false, true]);
});

test('only messages of one side within minutes and one day stand together', () => {
  const rows = toRows([
    message('a', 'user', local(5, 9, 0)),
    message('b', 'user', local(5, 9, 1)),
    message('c', 'companion', local(5, 9, 2)),
    message('d', 'companion', local(5, 9, 30)),
  ]);
  expect(rows.map(({ followsOwn }) => followsOwn)).toEqual([false, true, false, false]);
  expect(rows.map(({ isLast }) => isLast)).toEqual([false, false, false, true]);
});

test('versions of one message share a row, so that the focus stays on their arrows', () => {
  const [asked, first, second] = [
    message('a', 'user', local(5, 9)),
    { ...message('b', 'companion', local(5, 9)), parentId: 'a' },
    { ...message('c', 'companion', local(5, 9)), parentId: 'a' },
  ];
  const keys = (messages: ChatMessage[]) => toRows(messages).map(({ key }) => key);
  expect(keys([asked, first])).toEqual(keys([asked, second]));
  const version = (key: string): ChatMessage => ({
    ...asked,
    ...{ key, siblings: { index: 0, count: 2, previousId: null, nextId: null } },
  });
  expect(keys([version('a')])).toEqual(keys([version('d')]));
  expect(keys([asked])).not.toEqual(keys([{ ...asked, key: 'd' }]));
});

test('days are named as people name them', () => {
  const now = local(6, 0, 5);
  expect(dayText(local(6, 0, 1).toISOString(), now)).toBe('Today');
  expect(dayText(local(5, 23, 59).toISOString(), now)).toBe('Yesterday');
  expect(dayText(new Date(2025, 5, 3).toISOString(), now)).toMatch(/2025/);
});

test('a fault without words of its own still says something', () => {
  expect(faultText({ code: 'internal', message: 'stack', retryable: true })).toBe(
    'Something went wrong on the server.',
  );
});
