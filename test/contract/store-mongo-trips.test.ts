/** What a turn costs on MongoDB: round trips, and documents that are read and written. Who changes these changes what a message takes. */
import type { EventEmitter } from 'node:events';
import mongoose from 'mongoose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openMongoStore } from '../../src/storage/mongo/mongo-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { hasMongoServer, type MongoServer, startMongoServer } from '../support/mongo-server.ts';
import { candidate, createScenario, expectCreated, race, type Scenario } from './store-scenario.ts';

interface Reply {
  readonly cursor?: { readonly firstBatch: readonly unknown[] };
  readonly n?: number;
}

interface Started {
  readonly requestId: number;
  readonly commandName: string;
  readonly command: Readonly<Record<string, unknown>>;
}

const quota = { day: '2026-01-01', turnsMax: 100 };

describe.runIf(hasMongoServer())('on MongoDB', () => {
  let server: MongoServer;
  let store: Store;
  let user: Scenario;
  let other: mongoose.Connection;
  /** What was asked since the last look: `find messages 2`, the number of documents last. */
  let trips: string[] = [];
  beforeAll(async () => {
    server = await startMongoServer();
    const uri = server.newDatabase();
    const before = mongoose.connections.length;
    store = await openMongoStore({ uri: `${uri}${uri.includes('?') ? '&' : '?'}monitorCommands=true` });
    const client = mongoose.connections[before]?.getClient() as unknown as EventEmitter;
    const asked = new Map<number, string>();
    client.on('commandStarted', ({ requestId, commandName, command }: Started) =>
      asked.set(requestId, `${commandName} ${command[commandName]}`),
    );
    client.on('commandSucceeded', ({ requestId, reply }: { requestId: number; reply: Reply }) => {
      const documents = reply.cursor?.firstBatch.length ?? reply.n ?? 0;
      trips.push(`${asked.get(requestId)} ${documents}`);
    });
    other = await mongoose.createConnection(uri).asPromise();
    user = await createScenario(store);
    await user.exchange('Hello', 'Hi');
  });
  afterAll(async () => {
    await other.close();
    await store[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** What some work asks, in no order: what is asked at the same moment comes back in any. */
  async function tripsOf(work: () => Promise<unknown>): Promise<string[]> {
    await settled();
    trips = [];
    await work();
    await settled();
    return trips.filter((trip) => !/^(ping|hello|endSessions)/.test(trip)).sort();
  }

  /** Nobody waits for the write that ends a change; another connection sees when it is made. */
  async function settled(): Promise<void> {
    const conversations = other.collection<{ _id: string; pending: unknown }>('conversations');
    await vi.waitFor(async () => {
      const found = await conversations.findOne({ _id: user.conversationId });
      expect(found?.pending).toBeNull();
    });
  }

  it('a message takes four reads at once, then two writes, and one that nobody waits for', async () => {
    const asked = await tripsOf(async () => expectCreated(await store.appendTurn(user.turn({ quota }))));
    expect(asked).toEqual([
      // The turns of the day: none yet.
      'find conversations 0',
      'find conversations 1',
      'find daily_turns 0',
      'find messages 0',
      'insert messages 2',
      'update conversations 1',
      'update conversations 1',
    ]);
  });

  it('a reply takes seven round trips from its start to its end, and one for each piece of its log', async () => {
    const { generation } = await user.send('Another');
    const { generationId } = generation;
    const started = await tripsOf(() => user.start(generationId));
    expect(started).toEqual([
      'find conversations 1',
      'find messages 1',
      'find messages 1',
      'update conversations 1',
      'update conversations 1',
      'update messages 1',
      'update prompt_traces 1',
    ]);
    const logged = await tripsOf(() => store.appendText({ generationId, offset: 0, text: 'Hi' }));
    expect(logged).toEqual(['update messages 1']);
    const candidates = [candidate(0), candidate(1)];
    const ended = await tripsOf(() => user.end(generationId, 'text 0', { candidates, race }));
    expect(ended).toEqual([
      'find conversations 1',
      'find messages 1',
      'find messages 1',
      'find messages 1',
      'update conversations 1',
      'update conversations 1',
      'update messages 1',
    ]);
  });

  it('a page of a conversation takes its last message, its lines, and one message more than it has', async () => {
    const { userId, conversationId } = user;
    const conversation = await store.conversation(userId, conversationId);
    const leafId = conversation?.selectedLeafId ?? '';
    const paged = await tripsOf(() => store.branchPage({ conversationId, leafId, limit: 4 }));
    expect(paged).toEqual(['find messages 1', 'find messages 1', 'find messages 5']);
  });
});
