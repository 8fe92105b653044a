import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/records/canonical.ts';
import { checkConversation } from '../../../src/records/check-conversation.ts';
import { type ImportedLine, toImportedConversation } from '../../../src/records/imported-conversation.ts';
import type { ConversationRecord, MessageRecord } from '../../../src/records/record.ts';

const lines: ImportedLine[] = [
  { role: 'user', text: 'Hello', createdAt: 20, externalId: 'a' },
  { role: 'companion', text: 'Hi', createdAt: 10, externalId: null },
  { role: 'user', text: 'How are you?', createdAt: 30, externalId: null },
];
const whole = toImportedConversation('ada', lines, (prefix, place) => `${prefix}${place}`);

const withMessage = (place: number, parts: Partial<MessageRecord>): ConversationRecord => ({
  ...whole,
  messages: whole.messages.map((message, at) => (at === place ? { ...message, ...parts } : message)),
});

describe('an imported conversation', () => {
  it('keeps the order and the times of its lines, in one branch', () => {
    expect(whole).toMatchObject({ createdAt: 10, updatedAt: 30, lastSeq: 3, selectedLeafId: 'm2' });
    expect(whole.messages.map(({ parentId, createdAt }) => [parentId, createdAt])).toEqual([
      [null, 20],
      ['m0', 10],
      ['m1', 30],
    ]);
    expect(checkConversation(whole)).toEqual([]);
  });
});

describe('a check', () => {
  const generation = {
    text: 'Hi',
    endedAt: 5,
    status: 'done',
    candidates: [],
  } as unknown as MessageRecord['generation'];

  it.each<[string, ConversationRecord, string]>([
    [
      'a message that is gone',
      { ...whole, messages: whole.messages.slice(0, 2) },
      'of 3 messages that were counted, 2',
    ],
    ['a seq given twice', withMessage(2, { seq: 2 }), 'two messages have one seq'],
    ['a seq beyond the last', withMessage(2, { seq: 4 }), 'comes after the last seq'],
    [
      'a rev beyond that of the conversation',
      withMessage(1, { rev: 9 }),
      'm1 is newer than its conversation',
    ],
    ['a parent that is gone', withMessage(2, { parentId: 'nobody' }), 'the parent of message m2 is missing'],
    ['a parent that comes later', withMessage(0, { parentId: 'm2' }), 'm0 comes before its parent'],
    [
      'a reply without generation',
      withMessage(1, { generationId: null }),
      'm1 of the companion has no generation',
    ],
    [
      'a message of the user with one',
      withMessage(0, { generationId: 'g' }),
      'm0 of the user has a generation',
    ],
    [
      'an end that the message has missed',
      withMessage(1, { generation, status: 'running' }),
      'm1 is running, its generation done',
    ],
    ['a text from nowhere', withMessage(1, { generation, text: 'What?' }), 'm1 shows what nobody wrote'],
    [
      'a selected message that is gone',
      { ...whole, selectedLeafId: 'gone' },
      'its selected message gone is missing',
    ],
    [
      'a request whose message is gone',
      {
        ...whole,
        requests: [
          { clientId: 'x', bodyHash: '', messageId: 'gone', seq: 1, role: 'user', generationId: 'g' },
        ],
      },
      'request x made message gone, which is missing',
    ],
  ])('names %s', (_, record, problem) => {
    expect(checkConversation(record).join('\n')).toMatch(/^conversation c0: /);
    expect(checkConversation(record).join('\n')).toContain(problem);
  });

  it('finds nothing wrong with deleted messages, and with a reply that shows a candidate chosen later', () => {
    const chosen = { ...generation, candidates: [{ text: 'Hey' }] } as unknown as MessageRecord['generation'];
    expect(checkConversation(withMessage(1, { generation: chosen, text: 'Hey' }))).toEqual([]);
    const shorter = {
      ...whole,
      messages: whole.messages.slice(0, 2),
      selectedLeafId: 'm1',
      deleted: [{ messageId: 'm2', rev: 3 }],
    };
    expect(checkConversation(shorter)).toEqual([]);
  });
});

describe('canonical JSON', () => {
  it('is the same for the same values, in whatever order, and tells what JSON would not', () => {
    expect(canonicalJson({ b: [1, { d: 2, c: null }], a: 'x' })).toBe('{"a":"x","b":[1,{"c":null,"d":2}]}');
    expect(canonicalJson([Number.NaN, Number.NEGATIVE_INFINITY])).toBe('["NaN","-Infinity"]');
    expect(canonicalJson(null)).toBe('null');
  });
});
