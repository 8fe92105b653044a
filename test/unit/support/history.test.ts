/** The checker that judges the crash tests must see every kind of damage: each is done here to a history without any. */
import { describe, expect, it } from 'vitest';
import {
  type ClientHistory,
  findViolations,
  type StoredGeneration,
  type StoredHistory,
  type StoredMessage,
} from '../../support/crash/history.ts';

const user: StoredMessage = {
  messageId: 'm1',
  conversationId: 'c1',
  userId: 'u1',
  seq: 1,
  role: 'user',
  text: 'Hello',
  status: 'done',
};
const companion: StoredMessage = { ...user, messageId: 'm2', seq: 2, role: 'companion', text: 'Hi there' };
const generation: StoredGeneration = {
  generationId: 'g1',
  userId: 'u1',
  replyTo: 'm1',
  status: 'done',
  text: 'Hi there',
};
const request = { userId: 'u1', clientId: 'r1', messageId: 'm1', generationId: 'g1' };
const stored: StoredHistory = { messages: [user, companion], generations: [generation], requests: [request] };
const client: ClientHistory = {
  userId: 'u1',
  conversationId: 'c1',
  requests: [
    { clientId: 'r1', event: 'message:send', text: 'Hello', answer: { messageId: 'm1', generationId: 'g1' } },
  ],
  replies: new Map([['g1', { text: 'Hi there', end: { status: 'done', text: 'Hi there' } }]]),
  wrongs: [],
};

const kinds = (own: Partial<StoredHistory>, ownClient: Partial<ClientHistory> = {}) => [
  ...new Set(findViolations([{ ...client, ...ownClient }], { ...stored, ...own }).map(({ kind }) => kind)),
];
const seen = (text: string, end: { status: string; text: string } | null = null) => ({
  replies: new Map([['g1', { text, end }]]),
});

describe('findViolations', () => {
  it('finds none where all is well, also while a reply was only seen in part', () => {
    expect(kinds({})).toEqual([]);
    expect(kinds({}, seen('Hi'))).toEqual([]);
    expect(kinds({}, { requests: [{ ...client.requests[0]!, answer: null }] })).toEqual([]);
  });

  it('finds an acknowledged message that is gone, and a request that is', () => {
    expect(kinds({ messages: [{ ...companion, seq: 1 }] })).toEqual(['lost']);
    expect(kinds({ requests: [] })).toEqual(['lost']);
    expect(kinds({ generations: [] })).toContain('lost');
  });

  it('finds a message that is there twice, and a request that was taken twice', () => {
    expect(kinds({ messages: [user, companion, { ...user, messageId: 'm3', seq: 3 }] })).toContain(
      'duplicated',
    );
    expect(kinds({ requests: [request, request] })).toEqual(['duplicated']);
  });

  it('finds what is another than was promised', () => {
    expect(kinds({ messages: [{ ...user, text: 'Hullo' }, companion] })).toEqual(['changed']);
    expect(kinds({ requests: [{ ...request, generationId: 'g2' }] })).toEqual(['changed']);
    expect(kinds({}, seen('Hi there', { status: 'failed', text: 'Hi there' }))).toEqual(['changed']);
    expect(kinds({}, seen('Hi', { status: 'done', text: 'Hi' }))).toEqual(['changed']);
  });

  it('finds a reply that did not go on from what was seen of it', () => {
    expect(kinds({}, seen('Hi th', null))).toEqual([]);
    expect(kinds({}, seen('Hi Th', null))).toEqual(['not_contiguous']);
    expect(kinds({}, seen('Hi there, longer', null))).toEqual(['not_contiguous']);
  });

  it('finds what was never ended, and what was never answered', () => {
    expect(kinds({ generations: [{ ...generation, status: 'running' }] }, seen('Hi'))).toEqual(['running']);
    expect(kinds({ messages: [user, { ...companion, status: 'queued' }] })).toEqual(['running']);
    expect(kinds({ generations: [{ ...generation, replyTo: 'm0' }] })).toEqual(['unanswered']);
  });

  it('finds holes and repetitions in the order of a conversation', () => {
    expect(kinds({ messages: [user, { ...companion, seq: 3 }] })).toEqual(['gap']);
    expect(kinds({ messages: [user, { ...companion, seq: 1 }] })).toEqual(['gap']);
  });

  it('finds what belongs to somebody else, and repeats what the client found', () => {
    expect(kinds({ messages: [{ ...user, userId: 'u2' }, companion] })).toEqual(['foreign']);
    expect(kinds({ generations: [{ ...generation, userId: 'u2' }] })).toEqual(['foreign']);
    expect(kinds({}, { wrongs: ['a hole'] })).toEqual(['wrong']);
  });
});
