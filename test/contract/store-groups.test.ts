/** Calls that share a commit: each as if it had been made alone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uniformAt } from '../../src/engine/uniform.ts';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { createEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import { callTogether } from '../../src/storage/embedded/group-commit.ts';
import { migrate } from '../../src/storage/embedded/migrations.ts';
import { prepareSearchIndex } from '../../src/storage/embedded/search-index.ts';
import { fromSent, type StoreCall, type StoreMethod } from '../../src/storage/embedded/store-calls.ts';
import type { Store } from '../../src/storage/store.ts';
import { createScenario, type Scenario, trace } from './store-scenario.ts';

const setup = { model: 'tiny', template: 'chat@1', seed: 1, variant: null };

describe('calls that are made together', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function open(name: string) {
    const connection = new Connection(join(directory, name), 100);
    migrate(connection);
    const store = createEmbeddedStore(connection);
    const called = { store, connection, searchIndex: prepareSearchIndex(connection) };
    let lastId = 0;
    const call = (method: StoreMethod, ...args: readonly unknown[]): StoreCall => {
      lastId += 1;
      return { id: lastId, method, args };
    };
    const together = async (calls: readonly StoreCall[]) =>
      (await callTogether(called, calls)).map(({ result }, index) =>
        result.ok ? fromSent(calls[index] as StoreCall, result.value) : String(result.error),
      );
    return { connection, store, call, together };
  }

  it('are answered and leave the store as if each had been made alone, whatever is among them', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      let draws = 0;
      const uniform = () => uniformAt(seed, 0, draws++);
      const [alone, grouped] = [await open(`alone-${seed}`), await open(`grouped-${seed}`)];
      const calls = await mixedCalls(uniform, [alone, grouped]);
      const expected = [];
      for (const call of calls) expected.push(...(await alone.together([call])));
      const answers = [];
      for (let from = 0; from < calls.length; ) {
        const size = 1 + Math.floor(uniform() * 8);
        answers.push(...(await grouped.together(calls.slice(from, from + size))));
        from += size;
      }
      expect(answers).toStrictEqual(expected);
      expect(dump(grouped.connection)).toStrictEqual(dump(alone.connection));
      for (const { store } of [alone, grouped]) await store[Symbol.asyncDispose]();
    }
  });

  it('pay for one commit that reaches the disk', async () => {
    const { connection, store, call, together } = await open('a');
    await using _ = store;
    const user = await createScenario(store);
    const executed = watch(connection);
    await together(Array.from({ length: 50 }, () => call('appendTurn', user.turn())));
    expect(executed('BEGIN IMMEDIATE')).toBe(1);
    expect(executed('COMMIT')).toBe(1);
    expect(connection.pragma('synchronous')).toBe(2);
  });

  it('are refused at once, all that write, while another process writes; what reads is answered', async () => {
    const { connection, store, call, together } = await open('a');
    await using _ = store;
    const user = await createScenario(store);
    using other = new Connection(join(directory, 'a'), 0);
    other.exec('BEGIN IMMEDIATE');
    const executed = watch(connection);
    const read = () => call('conversation', user.userId, user.conversationId);
    const calls = Array.from({ length: 100 }, () => [read(), call('appendTurn', user.turn())]).flat();
    const answers = await together(calls);
    // Each attempt waits for the other process.
    expect(executed('BEGIN IMMEDIATE')).toBe(1);
    expect(answers.filter((answer) => /locked by another process/.test(String(answer)))).toHaveLength(100);
    expect(answers.filter((answer) => typeof answer === 'object')).toHaveLength(100);
    other.exec('ROLLBACK');
    expect(await together(calls.slice(0, 2))).toMatchObject([{ lastSeq: 0 }, { kind: 'created' }]);
  });

  it('are acknowledged exactly when they are there, where the disk becomes full on the way', async () => {
    const { connection, store, call, together } = await open('a');
    await using _ = store;
    const user = await createScenario(store);
    connection.pragma(`max_page_count = ${Number(connection.pragma('page_count')) + 20}`);
    const turns = Array.from({ length: 100 }, () => user.turn({ text: 'x'.repeat(2000) }));
    const read = call('conversation', user.userId, user.conversationId);
    const answers = await together([...turns.map((turn) => call('appendTurn', turn)), read]);
    const stored = answers.slice(0, -1).map((answer) => typeof answer === 'object');
    expect(stored).toContain(true);
    expect(stored).toContain(false);
    for (const [index, turn] of turns.entries())
      expect((await store.message(user.userId, turn.userMessageId)) !== null).toBe(stored[index]);
    expect(answers.at(-1)).toMatchObject({ lastSeq: 2 * stored.filter(Boolean).length });
    connection.pragma('max_page_count = 4294967294');
    expect(await together([call('appendTurn', turns.at(-1))])).toMatchObject([{ kind: 'created' }]);
  });

  it('keep what a commit on the way has made durable when a later one fails', async () => {
    const { connection, store, call, together } = await open('a');
    await using _ = store;
    const user = await createScenario(store);
    const { generation } = await user.send('Hello');
    const { generationId } = generation;
    await user.start(generationId);
    connection.pragma(`max_page_count = ${Number(connection.pragma('page_count'))}`);
    // A piece of the log need not wait for the disk, a message must: the piece is committed before it.
    const turn = user.turn({ text: 'x'.repeat(80_000) });
    const piece = { generationId, offset: 0, text: 'Hi' };
    const answers = await together([call('appendText', piece), call('appendTurn', turn)]);
    expect(answers).toEqual([true, expect.stringMatching(/disk of the store is full/)]);
    expect((await store.generation(user.userId, generationId))?.text).toBe('Hi');
  });
});

/** Counts what is executed from now on. */
function watch(connection: Connection): (sql: string) => number {
  const executed: string[] = [];
  const exec = connection.exec.bind(connection);
  connection.exec = (sql) => {
    executed.push(sql);
    exec(sql);
  };
  return (wanted) => executed.filter((sql) => sql === wanted).length;
}

/** Turns, repeats, replies in pieces and their ends, reads, and calls that fail, of one user who is the same in both stores. */
async function mixedCalls(
  uniform: () => number,
  [alone, grouped]: readonly {
    store: Store;
    call: (method: StoreMethod, ...args: readonly unknown[]) => StoreCall;
  }[],
): Promise<readonly StoreCall[]> {
  if (alone === undefined || grouped === undefined) throw new Error('Two stores are compared.');
  const user = await createScenario(alone.store);
  const { userId, conversationId } = user;
  const at = (await alone.store.conversation(userId, conversationId))?.createdAt ?? 0;
  await grouped.store.defaultConversation({ userId, newConversationId: conversationId, at });
  const turns: ReturnType<Scenario['turn']>[] = [user.turn()];
  const pick = () => turns[Math.floor(uniform() * turns.length)] ?? user.turn();
  const { call } = alone;
  const kinds = [
    () => {
      turns.push(user.turn());
      return call('appendTurn', turns.at(-1));
    },
    () => call('appendTurn', pick()),
    () => call('appendTurn', { ...user.turn(), generationId: pick().generationId }),
    () => call('startGeneration', { generationId: pick().generationId, setup, trace, at: 5 }),
    () => call('appendText', { generationId: pick().generationId, offset: 0, text: 'Hello' }),
    () =>
      call('endGeneration', {
        ...{ generationId: pick().generationId, status: 'done', finishReason: 'stop', text: 'Hello' },
        ...{ candidates: [], shownCandidateId: null, race: null, at: 6 },
      }),
    () =>
      call('setReaction', {
        ...{ userId, messageId: pick().companionMessageId, kind: 'up', comment: null, at: 7 },
      }),
    () => call('changedAfter', conversationId, 0),
    () => call('conversation', userId, conversationId),
  ];
  return Array.from(
    { length: 60 },
    () => (kinds[Math.floor(uniform() * kinds.length)] ?? kinds[0])?.() as StoreCall,
  );
}

/** All rows of all tables but those of the store's upkeep and of the full-text index. */
function dump(connection: Connection) {
  return connection.read(() => {
    const tables = connection
      .prepare<{ name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
      .all([])
      .map(({ name }) => name)
      .filter((name) => !/^(sqlite_|pings)|_(data|idx|docsize|config)$/.test(name));
    return tables.map((name) => [name, connection.prepare(`SELECT * FROM ${name}`).all([])]);
  });
}
