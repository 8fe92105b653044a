/** The reducer as a pure function: live text under every order of parts, ordering by seq, and what a stale answer may not undo. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Action } from '../../../src/client/actions.ts';
import { reduce } from '../../../src/client/reduce.ts';
import { type ConversationState, initialState } from '../../../src/client/state.ts';
import type { Value, WireMessage } from '../../../src/protocol/events.ts';

const conversationId = 'c1';
const at = '2026-01-05T09:00:00.000Z';

function message(seq: number, patch: Partial<WireMessage> = {}): WireMessage {
  return {
    messageId: `m${seq}`,
    conversationId,
    seq,
    rev: seq,
    role: seq % 2 === 1 ? 'user' : 'companion',
    text: `text ${seq}`,
    status: 'done',
    createdAt: at,
    parentId: seq === 1 ? null : `m${seq - 1}`,
    reaction: null,
    siblings: { index: 0, count: 1 },
    ...patch,
  };
}

const ready: Action = {
  type: 'session:ready',
  payload: {
    protocolVersion: 1,
    userId: 'u1',
    conversationId,
    lastSeq: 0,
    rev: 0,
    serverTime: at,
    limits: { textBytesMax: 8000 },
  },
};

type Active = Value<'conversation:open'>['activeGenerations'];

interface Opening {
  readonly active?: Active;
  /** A list of changes instead of a newest page. */
  readonly isChanges?: boolean;
  readonly leafId?: string;
}

function opened(messages: WireMessage[], { active = [], isChanges = false, leafId }: Opening = {}): Action {
  const rev = Math.max(0, ...messages.map((one) => one.rev));
  const lastSeq = messages.length;
  const conversation = {
    conversationId,
    title: null,
    personaId: null,
    lastSeq,
    lastReadSeq: 0,
    rev,
    selectedLeafId: leafId ?? messages.at(-1)?.messageId ?? null,
    createdAt: at,
    updatedAt: at,
    preview: null,
  };
  return {
    type: 'opened',
    reset: !isChanges,
    value: { conversation, messages, lastSeq, hasMore: false, activeGenerations: active },
  };
}

const start: Action = {
  type: 'reply:start',
  payload: { generationId: 'g1', conversationId, messageId: 'm2', replyTo: 'm1', candidates: 1, level: 1 },
};
const delta = (offset: number, text: string): Action => ({
  type: 'reply:delta',
  payload: { generationId: 'g1', offset, text },
});
const resumed = (offset: number, text: string): Action => ({
  type: 'resumed',
  generationId: 'g1',
  value: { offset, text, status: 'running' },
});

const typedText = (clientId: string, text: string): Action => ({
  type: 'outgoing:queued',
  asked: { kind: 'send', clientId, targetId: null, text },
  at,
});

const run = (actions: Action[], from: ConversationState = initialState) => actions.reduce(reduce, from);
const asked = run([ready, opened([message(1)], { leafId: 'm2' })]);
const textOf = (state: ConversationState) => state.messages.find((one) => one.messageId === 'm2')?.text;

/** Where deltas begin and end in a reply, and which of them, or which snapshots, arrive in which order. */
const replyWithParts = fc
  .array(fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme' }), { minLength: 1, maxLength: 12 })
  .chain((chunks) => {
    const text = chunks.join('');
    const offsets = chunks.map((_, index) => chunks.slice(0, index).join('').length);
    const deltas = chunks.map((chunk, index) => delta(offsets[index]!, chunk));
    const snapshot = fc
      .tuple(fc.constantFrom(...offsets), fc.constantFrom(...offsets, text.length))
      .map(([a, b]) => resumed(Math.min(a, b), text.slice(Math.min(a, b), Math.max(a, b))));
    const part = fc.oneof(fc.constantFrom(...deltas), snapshot);
    return fc.record({ text: fc.constant(text), parts: fc.array(part, { maxLength: 30 }) });
  });

test('any order of deltas and snapshots, with losses and repeats, shows a prefix and ends in the whole text', () => {
  fc.assert(
    fc.property(replyWithParts, ({ text, parts }) => {
      let state = run([start], asked);
      for (const part of parts) {
        state = reduce(state, part);
        expect(text.startsWith(textOf(state) ?? '?')).toBe(true);
      }
      const known = textOf(state)?.length ?? 0;
      state = reduce(state, resumed(known, text.slice(known)));
      expect(textOf(state)).toBe(text);
      expect(state.replies['g1']?.hole).toBe(false);
    }),
    { seed: 11, numRuns: 500 },
  );
});

test('deltas in order are the text, without a hole', () => {
  const state = run([start, delta(0, 'Hi '), delta(3, 'there')], asked);
  expect(textOf(state)).toBe('Hi there');
  expect(state.replies['g1']?.hole).toBe(false);
});

test('a delta beyond the known text marks a hole and adds nothing', () => {
  const state = run([start, delta(0, 'Hi '), delta(8, 'you')], asked);
  expect(textOf(state)).toBe('Hi ');
  expect(state.replies['g1']?.hole).toBe(true);
});

test('what is typed stands last, also after messages that arrive later', () => {
  const events = [1, 2, 3].map(
    (seq): Action => ({ type: 'message:created', payload: { message: message(seq, { role: 'user' }) } }),
  );
  const state = run([ready, opened([]), typedText('own', 'unsent'), ...events]);
  expect(state.messages.map(({ seq }) => seq)).toEqual([1, 2, 3, null]);
});

test('an older revision never replaces a newer one', () => {
  const newer = message(2, { rev: 9, text: 'new' });
  const state = run(
    [opened([message(2, { rev: 5, text: 'old' })], { isChanges: true })],
    run([ready, opened([message(1), newer])]),
  );
  expect(textOf(state)).toBe('new');
});

test('a snapshot that was taken before the end does not bring an ended reply back', () => {
  const end: Action = {
    type: 'reply:end',
    payload: { generationId: 'g1', message: message(2, { rev: 9, text: 'Hi there' }), finishReason: 'stop' },
  };
  const stale = [
    { generationId: 'g1', messageId: 'm2', replyTo: 'm1', text: 'Hi', status: 'running', level: 1 } as const,
  ];
  const state = run(
    [start, end, opened([message(1)], { active: stale, isChanges: true, leafId: 'm2' })],
    asked,
  );
  expect(textOf(state)).toBe('Hi there');
  expect(state.replies).toEqual({});
});

test('live text is not taken back by a stored message that lags behind it', () => {
  const lagging = message(2, { status: 'running', text: '' });
  const active = [
    { generationId: 'g1', messageId: 'm2', replyTo: 'm1', text: 'Hi', status: 'running', level: 1 } as const,
  ];
  const state = run(
    [start, delta(0, 'Hi there'), opened([message(1), lagging], { active, isChanges: true })],
    asked,
  );
  expect(textOf(state)).toBe('Hi there');
});

test('a lost connection forgets which replies run only when the next open does not name them', () => {
  const offline: Action = { type: 'connection', connection: { state: 'offline' } };
  const cut = run([start, delta(0, 'Hi'), offline], asked);
  expect(Object.keys(cut.replies)).toEqual(['g1']);
  const back = run([ready, opened([], { isChanges: true, leafId: 'm2' })], cut);
  expect(back.replies).toEqual({});
});

test('a superseded reply leaves no running reply behind', () => {
  const sent: Action = typedText('k', 'a');
  const acked: Action = {
    type: 'turn:acked',
    clientId: 'k',
    value: { messageId: 'm1', conversationId, seq: 1, generationId: 'g1', duplicate: false },
  };
  const message2 = message(2, { text: '', status: 'done', finishReason: 'superseded' });
  const end: Action = {
    type: 'reply:end',
    payload: { generationId: 'g1', message: message2, finishReason: 'superseded' },
  };
  const waiting = run([ready, opened([]), sent, acked]);
  expect(Object.keys(waiting.replies)).toEqual(['g1']);
  expect(run([end], waiting).replies).toEqual({});
});

test('an acknowledgement that comes after message:created changes nothing that is shown', () => {
  const sent: Action = typedText('k', 'a');
  const created: Action = {
    type: 'message:created',
    payload: { message: message(1, { clientMessageId: 'k' }) },
  };
  const acked: Action = {
    type: 'turn:acked',
    clientId: 'k',
    value: { messageId: 'm1', conversationId, seq: 1, generationId: 'g1', duplicate: false },
  };
  const before = run([ready, opened([]), sent, created]);
  expect(run([acked], before).messages).toBe(before.messages);
});

test('events of another conversation and unknown events change nothing', () => {
  const other: Action = {
    type: 'message:created',
    payload: { message: message(1, { conversationId: 'c2' }) },
  };
  const unknown = { type: 'server:singing', payload: { song: 1 } } as unknown as Action;
  expect(run([other, unknown], asked)).toBe(asked);
});

test('another user finds an empty page, but what was typed before the first connect is kept', () => {
  const own: Action = typedText('k', 'early');
  const first = run([own, ready]);
  expect(first.messages).toMatchObject([{ text: 'early' }]);
  const other = { ...ready, payload: { ...ready.payload, userId: 'u2' } };
  expect(run([other], first).messages).toEqual([]);
});

test('messages that do not change keep their identity, so that a view need not draw them again', () => {
  const before = run([start], asked);
  const after = run([delta(0, 'Hi')], before);
  expect(after.messages[0]).toBe(before.messages[0]);
  expect(after.messages[1]).not.toBe(before.messages[1]);
});

const gone = (...messageIds: string[]): Action => ({
  type: 'message:deleted',
  payload: { conversationId, messageIds, rev: 9 },
});

test('what was deleted is not taken in again by an answer that is older', () => {
  const all = [message(1), message(2), message(3), message(4)];
  const state = run([ready, opened(all), gone('m3', 'm4')]);
  expect(state.messages.map(({ messageId }) => messageId)).toEqual(['m1', 'm2']);
  expect(state.rev).toBe(9);
  for (const isChanges of [false, true])
    expect(run([opened(all, { isChanges })], state).messages.map(({ messageId }) => messageId)).toEqual([
      'm1',
      'm2',
    ]);
});

test('changes name what was deleted while the device was away', () => {
  const before = run([ready, opened([message(1), message(2), message(3), message(4)])]);
  const away: Action = { type: 'connection', connection: { state: 'offline' } };
  const changes = opened([], { isChanges: true, leafId: 'm2' });
  if (changes.type !== 'opened') throw new Error('no answer');
  const value = { ...changes.value, deletedMessageIds: ['m3', 'm4'] };
  const state = run([away, ready, { ...changes, value }], before);
  expect(state.messages.map(({ messageId }) => messageId)).toEqual(['m1', 'm2']);
});
