/** What MongoDB adds to the promises of every store: servers that break off, and queries that are not asked. */
import mongoose from 'mongoose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CodedError } from '../../src/std/coded-error.ts';
import { openMongoStore } from '../../src/storage/mongo/mongo-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { openMongoWire } from '../support/faults/mongo-wire.ts';
import { hasMongoServer, type MongoServer, startMongoServer, withFailing } from '../support/mongo-server.ts';
import { answerFor, createScenario, expectCreated } from './store-scenario.ts';

/** A machine that is busy with other tests may keep a call waiting. */
const patientMs = 30_000;

describe.runIf(hasMongoServer())('a store on MongoDB, in trouble', () => {
  let server: MongoServer;
  let uri: string;
  let store: Store;
  beforeAll(async () => {
    server = await startMongoServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    uri = server.newDatabase();
    store = await openMongoStore({ uri, answerMs: patientMs });
  });
  afterEach(() => store[Symbol.asyncDispose]());

  const unavailable = expect.objectContaining({ code: 'store_unavailable' });

  it('shows a turn whole, or not at all, that broke off at any of its writes', async () => {
    for (const [commands, isStored] of [
      [['find'], false],
      [['update'], false],
      [['insert'], true],
    ] as const) {
      const user = await createScenario(store);
      await user.exchange('before', 'yes');
      const turn = user.turn();
      await withFailing(uri, commands, () => expect(store.appendTurn(turn)).rejects.toEqual(unavailable));
      const lastSeq = isStored ? 4 : 2;
      expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({ lastSeq });
      expect(await store.changedAfter(user.conversationId, 0)).toHaveLength(lastSeq);
      expect((await store.unfinishedGenerations()).length).toBe(isStored ? 1 : 0);
    }
  });

  it('answers the repeat of a turn that broke off with what is stored, without looking first', async () => {
    const user = await createScenario(store);
    const turn = user.turn();
    await withFailing(uri, ['insert'], () => expect(store.appendTurn(turn)).rejects.toEqual(unavailable));
    const again = user.turn({ clientId: turn.clientId, bodyHash: turn.bodyHash });
    const answer = await store.appendTurn(again);
    const [message] = await store.changedAfter(user.conversationId, 0);
    expect(answer).toStrictEqual({ kind: 'duplicate', ...answerFor(message!, turn.generationId) });
    expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({ lastSeq: 2, rev: 2 });
    expect(expectCreated(await store.appendTurn(user.turn())).user.seq).toBe(3);
  });

  it('stores one turn out of the same request to two conversations at once, and leaves no trace of the other', async () => {
    const user = await createScenario(store);
    await using other = await openMongoStore({ uri, answerMs: patientMs });
    const { userId } = user;
    for (let round = 0; round < 20; round += 1) {
      const conversationId = `second-${round}`;
      await store.createConversation({ userId, conversationId, title: null, personaId: null, at: 1 });
      const turn = user.turn();
      const elsewhere = { ...user.turn({ clientId: turn.clientId }), conversationId };
      const answers = await Promise.all([store.appendTurn(turn), other.appendTurn(elsewhere)]);
      expect(answers.map(({ kind }) => kind).sort()).toStrictEqual(['conflict', 'created']);
      const second = await store.conversation(userId, conversationId);
      const isThere = answers[1].kind === 'created';
      expect(second).toMatchObject({ lastSeq: isThere ? 2 : 0, rev: isThere ? 2 : 0 });
      expect(await store.changedAfter(conversationId, 0)).toHaveLength(isThere ? 2 : 0);
    }
  });

  it('leaves no gap when two processes write into one conversation', async () => {
    const user = await createScenario(store);
    await using other = await openMongoStore({ uri, answerMs: patientMs });
    const turns = Array.from({ length: 40 }, () => user.turn());
    const appended = await Promise.all(
      turns.map((turn, n) => (n % 2 === 0 ? store : other).appendTurn(turn)),
    );
    appended.map(expectCreated);
    const stored = await store.changedAfter(user.conversationId, 0);
    const counting = Array.from({ length: 80 }, (_, n) => n + 1);
    expect(stored.map(({ seq }) => seq)).toStrictEqual(counting);
    expect(stored.map(({ rev }) => rev)).toStrictEqual(counting);
  });

  it('leaves nothing of what one process is still writing into a conversation that another has deleted', async () => {
    await using wire = await openMongoWire(uri);
    const other = await openMongoStore({ uri: wire.address(uri), answerMs: patientMs });
    await using admin = disposable(await mongoose.createConnection(uri).asPromise());
    const user = await createScenario(store);
    const { held, release } = wire.hold('insert');
    const appended = other.appendTurn(user.turn());
    await held;
    expect(await store.deleteConversation(user.userId, user.conversationId)).toBe(true);
    release();
    expect((await appended).kind).toBe('created');
    // Closing waits for what goes on after the answers.
    await other[Symbol.asyncDispose]();
    expect(await admin.connection.collection('messages').countDocuments({})).toBe(0);
  });

  it('finishes the end of a conversation that broke off', async () => {
    const user = await createScenario(store);
    await user.exchange('a pear', 'yes');
    const { userId, conversationId } = user;
    await withFailing(uri, ['delete'], () =>
      expect(store.deleteConversation(userId, conversationId)).rejects.toEqual(unavailable),
    );
    expect(await store.conversation(userId, conversationId)).toBeNull();
    await store[Symbol.asyncDispose]();
    store = await openMongoStore({ uri });
    await using admin = disposable(await mongoose.createConnection(uri).asPromise());
    for (const name of ['messages', 'conversations', 'prompt_traces'])
      expect(await admin.connection.collection(name).countDocuments({})).toBe(0);
  });

  it('says what is wrong with a server that it cannot open, and never the password', async () => {
    const opening = async (wrong: string) => {
      const error = await openMongoStore({ uri: wrong }).catch((reason: unknown) => reason);
      if (!(error instanceof CodedError)) throw new Error('It was opened, or failed otherwise.');
      return `${error.code}: ${error.message}`;
    };
    expect(await opening('mongodb://ada:secret@127.0.0.1:1/')).toBe(
      'store_unavailable: 127.0.0.1:1/amity: The store cannot be reached.',
    );
    expect(await opening('mongodb://ada:secret@127.0.0.1:1/?nonsense=1')).not.toMatch(/secret/);
  });

  it.skipIf(process.env['MONGODB_URI'] !== undefined)(
    'waits for no server that does not answer, soon asks it no more, and goes on with it by itself',
    async () => {
      const user = await createScenario(store);
      const turn = user.turn();
      await store[Symbol.asyncDispose]();
      store = await openMongoStore({ uri });
      server.freeze();
      await expect(store.appendTurn(turn)).rejects.toThrow('The store does not answer.');
      const asked = Array.from({ length: 8 }, () => store.conversation(user.userId, user.conversationId));
      for (const answer of await Promise.allSettled(asked)) expect(answer.status).toBe('rejected');
      await expect(store.ping()).rejects.toThrow('The store cannot be reached at the moment.');
      server.thaw();
      await vi.waitFor(() => store.ping(), { timeout: 10_000, interval: 100 });
      const answer = await store.appendTurn(turn);
      expect(['created', 'duplicate']).toContain(answer.kind);
      expect(await store.changedAfter(user.conversationId, 0)).toHaveLength(2);
    },
    30_000,
  );

  it('takes what writes have left pending before a restart for unfinished, too', async () => {
    const user = await createScenario(store);
    const turn = user.turn();
    await withFailing(uri, ['insert'], () => expect(store.appendTurn(turn)).rejects.toEqual(unavailable));
    await store[Symbol.asyncDispose]();
    store = await openMongoStore({ uri });
    const unfinished = await store.unfinishedGenerations();
    expect(unfinished.map(({ generationId }) => generationId)).toEqual([turn.generationId]);
  });

  it('lists a conversation with what writes have left pending', async () => {
    const user = await createScenario(store);
    await withFailing(uri, ['insert'], () =>
      expect(store.appendTurn(user.turn({ text: 'pending' }))).rejects.toEqual(unavailable),
    );
    const { conversations } = await store.listConversations({ userId: user.userId, after: null, limit: 5 });
    expect(conversations[0]).toMatchObject({ lastSeq: 2, preview: { role: 'user', text: 'pending' } });
  });

  it('names a database of another program instead of writing into it', async () => {
    await using admin = disposable(await mongoose.createConnection(server.newDatabase()).asPromise());
    await admin.connection.collection('orders').insertOne({ item: 1 });
    const { host, port, name } = admin.connection;
    await expect(openMongoStore({ uri: `mongodb://${host}:${port}/${name}` })).rejects.toThrow(
      /holds what another program keeps \(orders\)/,
    );
  });

  it('takes no operator for an id', async () => {
    const user = await createScenario(store);
    await user.exchange('mine', 'yes');
    const any = { $ne: null } as never;
    await expect(store.message(any, any)).rejects.toThrow(/operator/);
    await expect(store.conversation(user.userId, any)).rejects.toThrow(/operator/);
    await expect(store.changedAfter(any, 0)).rejects.toThrow(/operator/);
    await expect(store.appendTurn({ ...user.turn(), conversationId: any })).rejects.toThrow(/operator/);
  });
});

function disposable(connection: mongoose.Connection) {
  return { connection, [Symbol.asyncDispose]: () => connection.close() };
}
