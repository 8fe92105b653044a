/** A file that an earlier version wrote is opened, brought up to date and read. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import { first } from '../../src/storage/embedded/migrations/0001-first.ts';
import { race } from '../../src/storage/embedded/migrations/0002-race.ts';
import { conversations } from '../../src/storage/embedded/migrations/0003-conversations.ts';
import { dailyTurns } from '../../src/storage/embedded/migrations/0004-daily-turns.ts';
import { writtenTexts } from '../../src/storage/embedded/migrations/0005-written-texts.ts';
import { lighterTurns } from '../../src/storage/embedded/migrations/0006-lighter-turns.ts';
import { trace } from './store-scenario.ts';

/** As schema 1 left it: a reply that ended with two candidates, one that was running and one in line. */
const written = `
INSERT INTO conversations VALUES ('c', 'ada', NULL, NULL, 1, 6, 0, 9, 'r3', 1, 60);
INSERT INTO messages VALUES
  ('m1', 'c', 'ada', 1, 1, 'user', 'Hello', 'done', 10, NULL, 'client-1', NULL, NULL, NULL, NULL),
  ('r1', 'c', 'ada', 2, 4, 'companion', 'Hi', 'done', 10, 'm1', NULL, 'g1', 'stop', 'tiny', 'a'),
  ('m2', 'c', 'ada', 3, 5, 'user', 'more', 'done', 20, 'r1', 'client-2', NULL, NULL, NULL, NULL),
  ('r2', 'c', 'ada', 4, 7, 'companion', '', 'running', 20, 'm2', NULL, 'g2', NULL, 'tiny', 'a'),
  ('m3', 'c', 'ada', 5, 8, 'user', 'and more', 'done', 30, 'r2', 'client-3', NULL, NULL, NULL, NULL),
  ('r3', 'c', 'ada', 6, 9, 'companion', '', 'queued', 30, 'm3', NULL, 'g3', NULL, NULL, NULL);
INSERT INTO client_requests VALUES
  ('ada', 'client-1', 'c', 'hash-1', 'm1', 'g1'),
  ('ada', 'client-2', 'c', 'hash-2', 'm2', 'g2'),
  ('ada', 'client-3', 'c', 'hash-3', 'm3', 'g3');
INSERT INTO generations VALUES
  (1, 'g1', 'c', 'ada', 'r1', 'm1', 'done', 'stop', 'Hi', 10, 11, 15, 'tiny', 'chat@1', 0, 2, 7, 'a', 'g1-0', 0.5),
  (2, 'g2', 'c', 'ada', 'r2', 'm2', 'running', NULL, '', 20, 21, NULL, 'tiny', 'chat@1', 0, 1, 8, 'a', NULL, NULL),
  (3, 'g3', 'c', 'ada', 'r3', 'm3', 'queued', NULL, '', 30, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO candidates VALUES
  ('g1', 0, 'g1-0', 'Hi', 2, 'stop', -1.5, NULL, NULL),
  ('g1', 1, 'g1-1', 'Hey', 3, 'length', NULL, NULL, NULL);
INSERT INTO reactions VALUES ('ada', 'r1', 'love', NULL, 16);
`;

/** A file of its own for each test, as an earlier schema left it. @returns its path. */
function beforeEachWritten(schema: number, statements: readonly string[]): () => string {
  let directory = '';
  const path = () => join(directory, 'amity.db');
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
    using connection = new Connection(path(), 0);
    for (const sql of statements) connection.exec(sql);
    connection.exec(`PRAGMA application_id = ${0x416d6974}; PRAGMA user_version = ${schema};`);
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });
  return path;
}

describe('a store that schema 1 wrote', () => {
  const file = beforeEachWritten(1, [first, written]);

  it('keeps its messages, and shows the candidate that each generation ended with', async () => {
    await using store = await openEmbeddedStore({ file: file() });
    expect(await store.conversation('ada', 'c')).toMatchObject({ lastSeq: 6, rev: 9, selectedLeafId: 'r3' });
    const messages = await store.changedAfter('c', 0);
    expect(
      messages.map(({ messageId, text, shownCandidateId }) => [messageId, text, shownCandidateId]),
    ).toEqual([
      ['m1', 'Hello', null],
      ['r1', 'Hi', 'g1-0'],
      ['m2', 'more', null],
      ['r2', '', null],
      ['m3', 'and more', null],
      ['r3', '', null],
    ]);
    expect(messages[1]).toMatchObject({ reaction: { kind: 'love' }, finishReason: 'stop' });
    expect(await store.askedTurn('ada', 'client-1')).toStrictEqual({
      bodyHash: 'hash-1',
      ...{ messageId: 'm1', conversationId: 'c', seq: 1, generationId: 'g1' },
    });
  });

  it('keeps its generations and candidates, without races and features', async () => {
    await using store = await openEmbeddedStore({ file: file() });
    const plain = { score: null, features: null, filterReason: null };
    expect(await store.generation('ada', 'g1')).toStrictEqual({
      ...{ generationId: 'g1', conversationId: 'c', userId: 'ada', messageId: 'r1', replyTo: 'm1' },
      ...{ status: 'done', finishReason: 'stop', text: 'Hi', attempts: 1 },
      ...{ createdAt: 10, startedAt: 11, endedAt: 15, shownCandidateId: 'g1-0', race: null },
      setup: { model: 'tiny', template: 'chat@1', seed: 7, variant: 'a' },
      candidates: [
        {
          ...plain,
          index: 0,
          candidateId: 'g1-0',
          text: 'Hi',
          tokens: 2,
          finishReason: 'stop',
          logProb: -1.5,
        },
        {
          ...{ ...plain, index: 1, candidateId: 'g1-1', text: 'Hey', tokens: 3, finishReason: 'length' },
          logProb: Number.NaN,
        },
      ],
    });
    const unfinished = await store.unfinishedGenerations();
    expect(unfinished.map(({ generationId, attempts }) => [generationId, attempts])).toStrictEqual([
      ['g2', 1],
      ['g3', 0],
    ]);
  });

  it('goes on: what ran is taken up again, replies are chosen and written anew', async () => {
    await using store = await openEmbeddedStore({ file: file() });
    const setup = { model: 'tiny', template: 'chat@1', seed: 8, variant: 'a' };
    expect(await store.startGeneration({ generationId: 'g2', setup, trace, at: 70 })).toBe(true);
    expect(await store.appendText({ generationId: 'g2', offset: 0, text: 'yes' })).toBe(true);
    expect(await store.generation('ada', 'g2')).toMatchObject({ attempts: 2, startedAt: 21, text: 'yes' });
    const choice = { userId: 'ada', messageId: 'r1', candidateId: 'g1-1', at: 80 };
    expect(await store.chooseCandidate(choice)).toMatchObject({ text: 'Hey', finishReason: 'length' });
    const reply = { userId: 'ada', clientId: 'client-4', bodyHash: 'hash-4', siblingOf: 'r1', at: 90 };
    const ids = { quota: null, companionMessageId: 'r4', generationId: 'g4' };
    expect(await store.appendReply({ ...reply, ...ids })).toMatchObject({ companion: { seq: 7 } });
  });

  it('is brought up to date once when two open it', async () => {
    const stores = await Promise.all([
      openEmbeddedStore({ file: file() }),
      openEmbeddedStore({ file: file() }),
    ]);
    for (const store of stores) expect(await store.changedAfter('c', 0)).toHaveLength(6);
    for (const store of stores) await store[Symbol.asyncDispose]();
    using connection = new Connection(file(), 0);
    expect(connection.pragma('user_version')).toBe(7);
    expect(connection.prepare('PRAGMA foreign_key_check').all([])).toStrictEqual([]);
    expect(connection.pragma('integrity_check')).toBe('ok');
  });
});

describe('a store that schema 5 wrote', () => {
  const counted = "INSERT INTO daily_turns VALUES ('ada', '2026-11-30', 2)";
  const file = beforeEachWritten(5, [first, written, race, conversations, dailyTurns, writtenTexts, counted]);

  const turn = (parts: object) => ({
    ...{ userId: 'ada', conversationId: 'c', clientId: 'client-5', bodyHash: 'hash-5', at: 90 },
    ...{ userMessageId: 'm5', companionMessageId: 'r5', generationId: 'g5', text: 'Hello again' },
    ...{ place: { parentId: undefined }, quota: null },
    ...parts,
  });

  it('tells of changes since any rev, and of what comes after them', async () => {
    await using store = await openEmbeddedStore({ file: file() });
    const revs = async (afterRev: number) => (await store.changedAfter('c', afterRev)).map(({ rev }) => rev);
    expect([await revs(0), await revs(5), await revs(9)]).toStrictEqual([[1, 4, 5, 7, 8, 9], [7, 8, 9], []]);
    await store.appendTurn(turn({}));
    expect([await revs(8), await revs(9), await revs(10)]).toStrictEqual([[9, 10, 11], [10, 11], [11]]);
    await store.setReaction({ userId: 'ada', messageId: 'r1', kind: 'up', comment: null, at: 91 });
    expect([await revs(10), await revs(11)]).toStrictEqual([[12, 11], [12]]);
  });

  it('finds texts of before and after, and goes on with the day', async () => {
    await using store = await openEmbeddedStore({ file: file() });
    const quota = { day: '2026-11-30', turnsMax: 3 };
    expect((await store.appendTurn(turn({ quota }))).kind).toBe('created');
    const another = turn({ quota, clientId: 'client-6', userMessageId: 'm6', companionMessageId: 'r6' });
    expect((await store.appendTurn({ ...another, generationId: 'g6' })).kind).toBe('over_quota');
    const query = { userId: 'ada', words: ['hello'], conversationId: null, after: null, limit: 10 };
    const { hits } = await store.searchMessages(query);
    expect(hits.map(({ message }) => message.messageId)).toStrictEqual(['m5', 'm1']);
  });

  it('lets all go with a conversation that is deleted', async () => {
    await using store = await openEmbeddedStore({ file: file() });
    await store.appendTurn(turn({}));
    expect(await store.deleteConversation('ada', 'c')).toBe(true);
    using connection = new Connection(file(), 0);
    for (const table of ['messages', 'generations', 'candidates', 'client_requests', 'searchable_messages'])
      expect(connection.prepare(`SELECT * FROM ${table}`).all([])).toStrictEqual([]);
    expect(connection.prepare('PRAGMA foreign_key_check').all([])).toStrictEqual([]);
    // Of the whole file it would blame the index of texts, wrongly, as SQLite 3.45.1 does after a secure deletion.
    for (const table of ['conversations', 'messages', 'generations', 'client_requests'])
      expect(connection.pragma(`integrity_check(${table})`)).toBe('ok');
  });
});

describe('a store that schema 6 wrote', () => {
  const file = beforeEachWritten(6, [
    ...[first, written, race, conversations, dailyTurns, writtenTexts, lighterTurns],
  ]);

  it('gives all that is kept of a user, and nothing of it when the user was erased', async () => {
    await using store = await openEmbeddedStore({ file: file() });
    const record = await store.conversationRecord({ userId: 'ada', conversationId: 'c', at: 0 });
    expect(record?.messages.map(({ seq, externalId }) => [seq, externalId])).toStrictEqual(
      [1, 2, 3, 4, 5, 6].map((seq) => [seq, null]),
    );
    const erasure = { userId: 'ada', userKey: 'key', at: 100 };
    expect(await store.eraseUser(erasure)).toMatchObject({ conversations: 1, messages: 6, reactions: 1 });
    expect(await store.userIds({ after: null, limit: 10 })).not.toContain('ada');
  });
});
