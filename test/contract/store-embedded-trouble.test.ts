/** What goes wrong around an embedded store: its disk, its file, its lock. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { createEmbeddedStore, openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import { migrate } from '../../src/storage/embedded/migrations.ts';
import { candidate, createScenario, expectCreated, trace } from './store-scenario.ts';

const isRoot = process.getuid?.() === 0;
const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'store_unavailable', message: expect.stringMatching(message) });

describe('an embedded store in trouble', () => {
  let directory = '';
  let file = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
    file = join(directory, 'amity.db');
  });
  afterEach(async () => {
    await chmod(directory, 0o700);
    await rm(directory, { recursive: true });
  });

  /** A store whose connection the test can reach. */
  function openWithConnection() {
    const connection = new Connection(file, 100);
    migrate(connection);
    return { connection, store: createEmbeddedStore(connection) };
  }

  describe('when the disk is full', () => {
    it('refuses the write, keeps all that it acknowledged, and goes on when there is room again', async () => {
      const { connection, store } = openWithConnection();
      const user = await createScenario(store);
      const acknowledged = [];
      connection.pragma(`max_page_count = ${Number(connection.pragma('page_count')) + 20}`);
      let turn = user.turn({ text: 'x'.repeat(2000) });
      let refusal: unknown = null;
      while (refusal === null && acknowledged.length < 1000) {
        try {
          acknowledged.push(expectCreated(await store.appendTurn(turn)));
          turn = user.turn({ text: 'x'.repeat(2000) });
        } catch (error) {
          refusal = error;
        }
      }
      expect(refusal).toEqual(unavailable(/^The disk of the store is full\.$/));
      expect(refusal).toHaveProperty('cause.code', 'SQLITE_FULL');
      expect(acknowledged.length).toBeGreaterThan(5);

      const messages = acknowledged.flatMap(({ user: sent, companion }) => [sent, companion]);
      expect(await store.changedAfter(user.conversationId, 0)).toStrictEqual(messages);
      expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({
        lastSeq: messages.length,
        rev: messages.length,
      });
      expect(await store.generation(user.userId, turn.generationId)).toBeNull();

      connection.pragma('max_page_count = 4294967294');
      expect((await store.appendTurn(turn)).kind).toBe('created');
      await store[Symbol.asyncDispose]();
      await using reopened = await openEmbeddedStore({ file });
      expect((await reopened.changedAfter(user.conversationId, 0)).slice(0, -2)).toStrictEqual(messages);
    });
  });

  describe('when another process holds the write lock', () => {
    it('gives up within two seconds, still reads, and writes again when the lock is gone', async () => {
      await using store = await openEmbeddedStore({ file });
      const user = await createScenario(store);
      const { companion, generation } = await user.send('before');
      using other = new Connection(file, 0);
      other.exec('BEGIN IMMEDIATE');
      const turn = user.turn();
      const start = performance.now();
      await expect(store.appendTurn(turn)).rejects.toEqual(unavailable(/locked by another process/));
      expect(performance.now() - start).toBeLessThan(2000);
      expect(await store.message(user.userId, companion.messageId)).toStrictEqual(companion);
      expect(await store.message(user.userId, turn.userMessageId)).toBeNull();
      other.exec('ROLLBACK');
      expect((await store.appendTurn(turn)).kind).toBe('created');
      expect(await user.end(generation.generationId, 'after')).toMatchObject({ text: 'after' });
    });

    it('answers every method that writes by store_unavailable', async () => {
      const { store } = openWithConnection();
      await using _ = store;
      const user = await createScenario(store);
      const { messageId } = await user.exchange('Hello', 'Hi');
      const { generation } = await user.send('more');
      using other = new Connection(file, 0);
      other.exec('BEGIN IMMEDIATE');
      const react = { userId: user.userId, messageId, at: 1 };
      const calls = [
        () => store.ping(),
        () => store.defaultConversation({ userId: 'new', newConversationId: 'new', at: 1 }),
        () => store.appendTurn(user.turn()),
        () => store.appendReply(user.reply(messageId)),
        () => store.selectBranch(react),
        () => store.chooseCandidate({ ...react, candidateId: 'candidate-1' }),
        () => user.start(generation.generationId),
        () => store.appendText({ generationId: generation.generationId, offset: 0, text: 'x' }),
        () => store.replaceCandidate(generation.generationId, candidate(0)),
        () => user.end(generation.generationId, 'x'),
        () => store.setReaction({ ...react, kind: 'up', comment: null }),
        () => store.clearReaction(react),
      ];
      for (const call of calls) await expect(call()).rejects.toEqual(unavailable(/locked/));
      other.exec('ROLLBACK');
      for (const call of calls) await call();
    });
  });

  describe('when it is opened', () => {
    const opening = async (path: string, message: RegExp) => {
      await expect(openEmbeddedStore({ file: path })).rejects.toEqual(unavailable(message));
      await expect(openEmbeddedStore({ file: path })).rejects.toThrow(path.replace(/\/[^/]*$/, ''));
    };

    it('makes a missing data directory', async () => {
      await using store = await openEmbeddedStore({ file: join(directory, 'a', 'b', 'amity.db') });
      await store.ping();
    });

    it('names a data directory that cannot be made', async () => {
      await writeFile(join(directory, 'file'), '');
      await opening(
        join(directory, 'file', 'sub', 'amity.db'),
        /data directory .* cannot be made or written/,
      );
    });

    it.skipIf(isRoot)('names a data directory that is not writable', async () => {
      await chmod(directory, 0o500);
      await opening(file, /data directory .* cannot be made or written \(EACCES\)/);
    });

    it.skipIf(isRoot)('names a file that is read-only', async () => {
      await (await openEmbeddedStore({ file }))[Symbol.asyncDispose]();
      await chmod(file, 0o400);
      await opening(file, /cannot be read and written \(EACCES\)/);
    });

    it('names a directory that stands in the place of the file', async () => {
      await mkdir(file);
      await opening(file, /is not a file/);
    });

    it('names a file that is no database and leaves it as it was', async () => {
      const content = 'notes that somebody needs\n'.repeat(100);
      await writeFile(file, content);
      await opening(file, /is not a database/);
      expect(await readFile(file, 'utf8')).toBe(content);
    });

    it('refuses the database of another program', async () => {
      const other = new Connection(file, 0);
      other.exec('CREATE TABLE notes (note TEXT)');
      other[Symbol.dispose]();
      await opening(file, /database of another program/);
    });

    it('refuses a store that a newer version wrote', async () => {
      const { connection, store } = openWithConnection();
      connection.pragma('user_version = 99');
      await store[Symbol.asyncDispose]();
      await opening(file, /newer Amity \(schema 99, this one knows 7\)/);
    });

    it('says that a damaged file is damaged', async () => {
      const { connection, store } = openWithConnection();
      const user = await createScenario(store);
      for (let n = 0; n < 50; n += 1) await user.send(`${n}`);
      const pageSize = Number(connection.pragma('page_size'));
      await store[Symbol.asyncDispose]();
      const bytes = await readFile(file);
      await writeFile(file, bytes.fill(0xa5, pageSize));
      await opening(file, /damaged/);
    });
  });

  it('refuses to work once it is closed, and may be closed twice', async () => {
    const store = await openEmbeddedStore({ file });
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await expect(store.ping()).rejects.toEqual(unavailable(/closed/));
    await expect(store.unfinishedGenerations()).rejects.toEqual(unavailable(/closed/));
  });

  it('syncs the disk at each commit, in write-ahead mode, with foreign keys', () => {
    using connection = new Connection(file, 0);
    expect(connection.pragma('journal_mode')).toBe('wal');
    expect(connection.pragma('synchronous')).toBe(2);
    expect(connection.pragma('foreign_keys')).toBe(1);
  });

  it('leaves the disk to the system for the generation log, and for nothing after it', () => {
    using connection = new Connection(file, 0);
    const level = () => connection.pragma('synchronous');
    expect(connection.writeUnsynced(level)).toBe(1);
    expect(connection.writeUnsynced(level)).toBe(1);
    expect(connection.write(level)).toBe(2);
    const fail = () => {
      throw new Error('on purpose');
    };
    expect(() => connection.writeUnsynced(fail)).toThrow('on purpose');
    expect(connection.write(level)).toBe(2);
  });

  it('rolls back a call that breaks an invariant, throws that as the bug it is, and goes on', async () => {
    await using store = await openEmbeddedStore({ file });
    const user = await createScenario(store);
    const sent = await user.send('Hello');
    const turn = user.turn({ generationId: sent.generation.generationId });
    await expect(store.appendTurn(turn)).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' });
    expect(await store.changedAfter(user.conversationId, 0)).toStrictEqual([sent.user, sent.companion]);
    expect((await store.appendTurn({ ...turn, generationId: 'unused' })).kind).toBe('created');
  });

  it('refuses a user id with U+0000, which libsql would cut off', async () => {
    await using store = await openEmbeddedStore({ file });
    const use = { userId: 'ada\u0000bob', newConversationId: 'c', at: 1 };
    await expect(store.defaultConversation(use)).rejects.toMatchObject({ code: 'invalid_payload' });
  });

  it('does not take a message of another conversation as parent', async () => {
    const { connection, store } = openWithConnection();
    await using _ = store;
    const user = await createScenario(store);
    const { messageId } = await user.exchange('Hello', 'Hi');
    connection.exec(
      `INSERT INTO conversations (conversation_id, user_id, is_default, created_at, updated_at)
       VALUES ('second', '${user.userId}', 0, 1, 1)`,
    );
    const turn = user.turn({ conversationId: 'second', place: { parentId: messageId } });
    expect(await store.appendTurn(turn)).toMatchObject({ kind: 'conflict' });
  });

  it('deletes prompt traces for good when they are seven days old', async () => {
    const { connection, store } = openWithConnection();
    await using _ = store;
    const user = await createScenario(store);
    const setup = { model: 'tiny', template: 't', seed: 0, variant: null };
    const startAt = async (at: number) => {
      const { generationId } = (await user.send('Hello')).generation;
      await store.startGeneration({ generationId, setup, trace, at });
    };
    const day = 24 * 60 * 60 * 1000;
    for (let n = 0; n < 10; n += 1) await startAt(n);
    await startAt(7 * day + 8);
    await startAt(7 * day + 8);
    const left = connection.prepare('SELECT created_at FROM prompt_traces ORDER BY created_at').all([]);
    expect(left.map((row) => Object.values(row as object)[0])).toStrictEqual([9, 7 * day + 8, 7 * day + 8]);
  });

  it('can delete a conversation that is deeper than the trigger depth of SQLite', async () => {
    const { connection, store } = openWithConnection();
    await using _ = store;
    const user = await createScenario(store);
    for (let n = 0; n < 510; n += 1) await user.send(`${n}`);
    connection.exec('DELETE FROM conversations');
    expect(await store.unfinishedGenerations()).toStrictEqual([]);
    expect(await store.changedAfter(user.conversationId, 0)).toStrictEqual([]);
  });
});
