/**
 * A store with many messages: how long its reads take, and on MongoDB which index each goes by and how many documents it looks at.
 *
 *     npm run bench -- large [--messages 1000000] [--mongo] [--reads 300] [--json]
 *
 * Invented conversations of 50 messages, two of each user; and one user who has a hundredth of all, in one conversation. Reads are of users at random and of that one, in turn:
 * `conversation:open` (the conversation and its newest 50 messages), `history:page` (50 before the middle), `history:search` (two words, the
 * second begun: such as all messages of the user have, and such as one has). Calls may take as long as they do, so that those are measured that a
 * server would give up. The database is the server that the tests use as MongoDB; without --mongo the embedded store is measured.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import mongoose from 'mongoose';
import { uniformAt } from '../src/engine/uniform.ts';
import { openEmbeddedStore } from '../src/storage/embedded/embedded-store.ts';
import { openMongoStore } from '../src/storage/mongo/mongo-store.ts';
import type { Store } from '../src/storage/store.ts';
import { conversationOf, fillStore } from '../test/support/crash/copy-kills.ts';
import { startMongoServer } from '../test/support/mongo-server.ts';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    mongo: { type: 'boolean', default: false },
    reads: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
  },
});
const answerMs = 60_000;
const [messages, reads] = [Number(values.messages), Number(values.reads)];
const directory = await mkdtemp(join(process.env['DATA_DIR'] ?? 'data', 'bench-large-'));
await using server = values.mongo ? await startMongoServer() : null;
const uri = server?.newDatabase() ?? '';
const store = await (server === null
  ? openEmbeddedStore({ file: join(directory, 'amity.db') })
  : openMongoStore({ uri, answerMs }));
const heavyUser = 'user-heavy';
const began = performance.now();
await fillStore(store, messages - messages / 100);
await store.putConversation(conversationOf(heavyUser, 999_999, messages / 100));
const fillSeconds = Math.round((performance.now() - began) / 1000);

let drawn = 0;
const pick = (below: number) => Math.floor(uniformAt(1, 1, drawn++) * below);
const users = Math.floor(messages / 100) - 1;
const took: Record<string, number[]> = {
  ...{ 'conversation:open': [], 'history:page': [] },
  ...{ 'history:search, in all': [], 'history:search, in one': [] },
};
const examined: Record<string, Plan[]> = {};
process.stderr.write(`${messages} messages are there after ${fillSeconds} s\n`);
for (let n = 0; n < reads; n += 1) {
  const userId = n % 4 === 3 ? heavyUser : `user-${String(pick(users)).padStart(6, '0')}`;
  await measureReads(store, userId);
}
const rows = Object.entries(took).map(([read, times]) => {
  const sorted = times.sort((one, other) => one - other);
  const at = (share: number) => Math.round((sorted[Math.floor(share * sorted.length)] ?? 0) * 10) / 10;
  return { read, 'p50, ms': at(0.5), 'p99, ms': at(0.99) };
});
if (server !== null) await explainReads();
await store[Symbol.asyncDispose]();
await rm(directory, { recursive: true, force: true });
const result = { ...describeMachine(), messages, reads, fillSeconds, rows, plans: examined };
const name = values.mongo ? 'large-mongo' : 'large';
writeFileSync(new URL(`results/${name}.json`, import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.table(rows);
  for (const [read, plans] of Object.entries(examined))
    console.table(plans.map((plan) => ({ read, ...plan })));
}

async function measureReads(from: Store, userId: string): Promise<void> {
  const conversationId = (await from.conversationIds({ userId, after: null, limit: 1 }))[0] ?? '';
  await timed('conversation:open', async () => {
    const conversation = await from.conversation(userId, conversationId);
    await from.branchPage({ conversationId, leafId: conversation?.selectedLeafId ?? '', limit: 50 });
  });
  const conversation = await from.conversation(userId, conversationId);
  const leafId = conversation?.selectedLeafId ?? '';
  const beforeSeq = Math.ceil((conversation?.lastSeq ?? 0) / 2);
  let rare = '';
  await timed('history:page', async () => {
    const { messages } = await from.branchPage({ conversationId, leafId, beforeSeq, limit: 50 });
    rare = messages.at(-1)?.text.split(' ').at(-1) ?? '';
  });
  const search = (words: readonly string[]) =>
    from.searchMessages({ userId, conversationId: null, words, after: null, limit: 20 });
  await timed('history:search, in all', () => search(['message', 'conv']));
  await timed('history:search, in one', () => search(['message', rare]));
}

async function timed(read: string, work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work();
  took[read]?.push(performance.now() - start);
}

interface Plan {
  readonly query: string;
  readonly index: string;
  readonly examined: number;
  readonly returned: number;
}

/** What the database does for the queries that each read asks it, of the user who has most. */
async function explainReads(): Promise<void> {
  const connection = await mongoose
    .createConnection(`${uri}${uri.includes('?') ? '&' : '?'}monitorCommands=true`)
    .asPromise();
  const before = mongoose.connections.length;
  await using watched = await openMongoStore({
    answerMs,
    uri: `${uri}${uri.includes('?') ? '&' : '?'}monitorCommands=true`,
  });
  const queries: Record<string, unknown>[] = [];
  mongoose.connections[before]?.getClient().on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'find' || commandName === 'aggregate')
      queries.push(command as Record<string, unknown>);
  });
  const conversationId =
    (await watched.conversationIds({ userId: heavyUser, after: null, limit: 1 }))[0] ?? '';
  const conversation = await watched.conversation(heavyUser, conversationId);
  const page = { conversationId, leafId: conversation?.selectedLeafId ?? '', limit: 50 };
  const half = { ...page, beforeSeq: Math.ceil((conversation?.lastSeq ?? 0) / 2) };
  const rare = (await watched.branchPage(half)).messages.at(-1)?.text.split(' ').at(-1) ?? '';
  const search = (words: readonly string[]) =>
    watched.searchMessages({ userId: heavyUser, conversationId: null, words, after: null, limit: 20 });
  for (const [read, work] of [
    ['conversation:open', () => watched.branchPage(page)],
    ['history:page', () => watched.branchPage(half)],
    ['history:search, in all', () => search(['message', 'conv'])],
    ['history:search, in one', () => search(['message', rare])],
  ] as const) {
    queries.length = 0;
    await work();
    examined[read] = [];
    for (const query of [...queries]) examined[read].push(await explain(connection, query));
  }
  await connection.close();
}

async function explain(connection: mongoose.Connection, query: Record<string, unknown>): Promise<Plan> {
  const { lsid: _, $clusterTime: __, $db: ___, txnNumber: ____, readConcern: _____, ...asked } = query;
  const plan = JSON.stringify(await connection.db?.command({ explain: asked, verbosity: 'executionStats' }));
  const [collection, filter] =
    'find' in asked
      ? [asked['find'], asked['filter']]
      : [asked['aggregate'], (asked['pipeline'] as { $match: object }[])[0]?.$match];
  return {
    query: `${collection} ${Object.keys(filter as object).join(', ')}`,
    index: plan.match(/"indexName":"([^"]+)"/)?.[1] ?? plan.match(/"stage":"(\w+)"/)?.[1] ?? 'unknown',
    examined: Number(plan.match(/"totalDocsExamined":(\d+)/)?.[1]),
    returned: Number(plan.match(/"nReturned":(\d+)/)?.[1]),
  };
}
