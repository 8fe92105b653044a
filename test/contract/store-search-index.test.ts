/** Texts wait for the index of an embedded store until there are many: whoever searches does not see that. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uniformAt } from '../../src/engine/uniform.ts';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { createEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import { migrate } from '../../src/storage/embedded/migrations.ts';
import { prepareSearchIndex } from '../../src/storage/embedded/search-index.ts';
import { openStoreThread } from '../../src/storage/embedded/store-thread.ts';
import type { Store } from '../../src/storage/store.ts';
import { candidate, createScenario } from './store-scenario.ts';

describe('the index of texts', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  function open(name = 'a') {
    const connection = new Connection(join(directory, name), 0);
    migrate(connection);
    return { connection, store: createEmbeddedStore(connection), index: prepareSearchIndex(connection) };
  }

  const wait = ({ connection }: { connection: Connection }) =>
    connection.read(() => connection.prepare<{ n: number }>(waiting).first([])?.n);
  const waiting =
    'SELECT count(*) AS n FROM searchable_messages, search_progress WHERE searchable_messages.id > indexed_through';

  /** All that the index has: each word with its text and place. */
  function entriesOf(connection: Connection) {
    connection.exec(
      'CREATE VIRTUAL TABLE IF NOT EXISTS temp.entries USING fts5vocab(main, search_index, instance)',
    );
    return connection.read(() =>
      connection.prepare('SELECT term, doc, col, offset FROM temp.entries ORDER BY doc, col, offset').all([]),
    );
  }

  async function found(store: Store, userId: string, word: string): Promise<readonly string[]> {
    const query = { userId, words: [word], conversationId: null, after: null, limit: 100 };
    return (await store.searchMessages(query)).hits.map(({ message }) => message.text);
  }

  it('takes nothing while few wait, some when many do, and all for a search', async () => {
    const opened = open();
    await using store = opened.store;
    const user = await createScenario(store);
    for (let n = 0; n < 255; n += 1) await user.send(`apple ${n}`);
    opened.index.keepUp();
    expect(wait(opened)).toBe(255);
    for (let n = 255; n < 300; n += 1) await user.send(`apple ${n}`);
    opened.index.keepUp();
    expect(wait(opened)).toBe(300 - 256);
    expect(await found(store, user.userId, 'apple')).toHaveLength(100);
    expect(await found(store, user.userId, '299')).toStrictEqual(['apple 299']);
    expect(wait(opened)).toBe(0);
  });

  it('keeps up with a store in a thread by itself', async () => {
    const file = join(directory, 'a');
    const { connection } = open();
    await using store = await openStoreThread({ file });
    const user = await createScenario(store);
    await Promise.all(Array.from({ length: 1000 }, () => store.appendTurn(user.turn())));
    expect(wait({ connection })).toBeLessThan(512);
    connection[Symbol.dispose]();
  });

  it('finds the same whether texts have waited or not, whatever has become of them meanwhile', async () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const [waited, indexed] = [open(`waited-${seed}`), open(`indexed-${seed}`)];
      const [one, other] = [await liveThrough(waited, seed, false), await liveThrough(indexed, seed, true)];
      for (const word of ['apple', 'pear', 'plum', 'message'])
        for (const user of [0, 1])
          expect(await found(waited.store, one[user] ?? '', word)).toStrictEqual(
            await found(indexed.store, other[user] ?? '', word),
          );
      for (const { connection, store } of [waited, indexed]) {
        const entries = entriesOf(connection);
        connection.exec("INSERT INTO search_index (search_index) VALUES ('rebuild')");
        expect(entries).toStrictEqual(entriesOf(connection));
        await store[Symbol.asyncDispose]();
      }
    }
  });

  it('cannot be searched while texts wait and nothing can be written, and can when none does', async () => {
    const opened = open();
    await using store = opened.store;
    const user = await createScenario(store);
    await user.send('apple');
    using other = new Connection(join(directory, 'a'), 0);
    other.exec('BEGIN IMMEDIATE');
    await expect(found(store, user.userId, 'apple')).rejects.toMatchObject({ code: 'store_unavailable' });
    opened.index.keepUp();
    other.exec('ROLLBACK');
    expect(await found(store, user.userId, 'apple')).toStrictEqual(['apple']);
    other.exec('BEGIN IMMEDIATE');
    expect(await found(store, user.userId, 'apple')).toStrictEqual(['apple']);
    other.exec('ROLLBACK');
  });

  /** Messages of two users that are sent, answered, exchanged, deleted and claimed; the same for a seed. @returns the users. */
  async function liveThrough({ store, index }: ReturnType<typeof open>, seed: number, isIndexed: boolean) {
    let draws = 0;
    const draw = (below: number) => Math.floor(uniformAt(seed, 0, draws++) * below);
    const users = [await createScenario(store), await createScenario(store)];
    const replies: { userId: string; messageId: string; generationId: string }[] = [];
    for (let step = 0; step < 60; step += 1) {
      const user = users[draw(2)];
      const word = ['apple', 'pear', 'plum'][draw(3)] ?? '';
      const reply = replies[draw(Math.max(1, replies.length))];
      if (user === undefined) throw new Error('There are two users.');
      const kind = draw(5);
      if (kind <= 1 || reply === undefined) {
        const { companion, generation } = await user.send(`${word} ${step}`);
        replies.push({
          userId: user.userId,
          messageId: companion.messageId,
          generationId: generation.generationId,
        });
      } else if (kind === 2) {
        const candidates = [candidate(0, { text: `${word} a` }), candidate(1, { text: `other ${step}` })];
        const shownCandidateId = 'candidate-0';
        await user.end(reply.generationId, `${word} a`, { candidates, shownCandidateId });
      } else if (kind === 3) {
        const { userId, messageId } = reply;
        await store.chooseCandidate({ userId, messageId, candidateId: 'candidate-1', at: step });
      } else await store.deleteMessage({ userId: reply.userId, messageId: reply.messageId, at: step });
      const now = draw(10) === 0;
      if (isIndexed || now) index.catchUp();
    }
    const [from, to] = [users[0]?.userId ?? '', users[1]?.userId ?? ''];
    if (draw(2) === 0) await store.claimUser({ from, to });
    return [from, to];
  }
});
