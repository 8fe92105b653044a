/** What goes wrong around the thread of a store. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { openStoreThread } from '../../src/storage/embedded/store-thread.ts';
import { createScenario } from './store-scenario.ts';

const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'store_unavailable', message: expect.stringMatching(message) });

describe('the thread of an embedded store', () => {
  let file = '';
  beforeEach(async () => {
    file = join(await mkdtemp(join(tmpdir(), 'amity-store-')), 'amity.db');
  });
  afterEach(() => rm(join(file, '..'), { recursive: true }));

  it('says why the store cannot be opened', async () => {
    await writeFile(file, 'notes that somebody needs\n'.repeat(100));
    await expect(openStoreThread({ file })).rejects.toEqual(unavailable(/amity\.db is not a database/));
  });

  it('does what comes at the same moment in the order in which it came', async () => {
    await using store = await openStoreThread({ file });
    const user = await createScenario(store);
    const turns = Array.from({ length: 500 }, () => user.turn());
    const answered: string[] = [];
    await Promise.all(
      turns.map(async (turn) => {
        await store.appendTurn(turn);
        answered.push(turn.userMessageId);
      }),
    );
    expect(answered).toStrictEqual(turns.map(({ userMessageId }) => userMessageId));
    const stored = await store.changedAfter(user.conversationId, 0);
    const sent = stored.filter(({ role }) => role === 'user').map(({ messageId }) => messageId);
    expect(sent).toStrictEqual(answered);
  });

  it('tells a bug from a store that cannot be used', async () => {
    await using store = await openStoreThread({ file });
    const user = await createScenario(store);
    const { generation } = await user.send('Hello');
    const { generationId } = generation;
    const wrong = store.appendText({ generationId, offset: 5, text: 'late' });
    await expect(wrong).rejects.toThrow(/ends at 0, not at 5/);
    await expect(wrong).rejects.not.toHaveProperty('code');
    expect(await store.appendText({ generationId, offset: 0, text: 'Hi' })).toBe(true);
  });

  it('refuses what would wait behind too much, and does all that it took', async () => {
    await using store = await openStoreThread({ file });
    const pings = await Promise.allSettled(Array.from({ length: 10_010 }, () => store.settings('ada')));
    const refused = pings.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(10);
    expect(refused[0]).toMatchObject({ reason: unavailable(/Too much waits/) });
    expect(await store.settings('ada')).toMatchObject({ styleEnabled: true });
  });

  it('does what it was asked before it was closed, and nothing after it', async () => {
    const store = await openStoreThread({ file });
    const user = await createScenario(store);
    const sent = user.send('Hello');
    const closed = Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    await expect(store.ping()).rejects.toEqual(unavailable(/closed/));
    await closed;
    const { user: message } = await sent;
    await using reopened = await openStoreThread({ file });
    expect(await reopened.message(user.userId, message.messageId)).toStrictEqual(message);
  });

  it('is replaced when it dies: what waited is told, what was acknowledged is there', async () => {
    const workerFile = new URL('../support/dying-store.ts', import.meta.url);
    await using store = await openStoreThread({ file }, workerFile);
    const user = await createScenario(store);
    const { user: message } = await user.send('Hello');
    const waiting = [store.settings('END-THE-THREAD'), store.ping()];
    for (const call of await Promise.allSettled(waiting))
      expect(call).toMatchObject({ reason: unavailable(/broke off: ended by a test/) });
    expect(await store.message(user.userId, message.messageId)).toStrictEqual(message);
    expect(await user.exchange('And now?', 'Here again')).toMatchObject({ status: 'done' });
  });

  it('answers reads while another process writes, and writes when it has ended', async () => {
    await using store = await openStoreThread({ file });
    const user = await createScenario(store);
    using other = new Connection(file, 0);
    other.exec('BEGIN IMMEDIATE');
    const turn = user.turn();
    const [refused, read] = await Promise.allSettled([
      store.appendTurn(turn),
      store.conversation(user.userId, user.conversationId),
    ]);
    expect(refused).toMatchObject({ reason: unavailable(/locked by another process/) });
    expect(read).toMatchObject({ value: { lastSeq: 0 } });
    other.exec('ROLLBACK');
    expect((await store.appendTurn(turn)).kind).toBe('created');
  });
});
