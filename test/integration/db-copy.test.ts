/** `amity db copy`, `db check` and `db indexes`. `npm run bench -- copy` is the whole of the first: 200,000 messages, killed 20 times. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniformAt } from '../../src/engine/uniform.ts';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import { openMongoStore } from '../../src/storage/mongo/mongo-store.ts';
import { createScenario } from '../contract/store-scenario.ts';
import { startCli } from '../support/cli-process.ts';
import { copyThroughKills, fillStore, summaryOf } from '../support/crash/copy-kills.ts';
import { hasMongoServer, type MongoServer, startMongoServer } from '../support/mongo-server.ts';

let dataDirectory: string;
beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'amity-copy-'));
  await using store = await openEmbeddedStore({ file: join(dataDirectory, 'amity.db') });
  await fillStore(store, 2000);
  await store.putErased('a key', 5);
});
afterAll(() => rm(dataDirectory, { recursive: true }));

async function amity(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  await using command = startCli(args, { DATA_DIR: dataDirectory, ...env });
  return { ...(await command.ended), errors: command.errors() };
}

describe.runIf(hasMongoServer())('with MongoDB', () => {
  let server: MongoServer;
  beforeAll(async () => {
    server = await startMongoServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('a copy that is killed on its way ends with the same, and so does the one back', async () => {
    const uri = server.newDatabase();
    let drawn = 0;
    const pick = (below: number) => Math.floor(uniformAt(7, 0, drawn++) * below);
    const there = await copyThroughKills({
      ...{ from: 'embedded', to: uri, dataDirectory, kills: 2, pick, expectedMs: 1000 },
    });
    const back = join(dataDirectory, 'back.db');
    const andBack = await copyThroughKills({
      ...{ from: uri, to: `embedded:${back}`, dataDirectory, kills: 1, pick, expectedMs: 500 },
    });
    expect(andBack.summary).toEqual(there.summary);
    expect(there.summary).toMatchObject({ users: 20, conversations: 40, messages: 2000 });
    await using original = await openEmbeddedStore({ file: join(dataDirectory, 'amity.db') });
    await using copy = await openEmbeddedStore({ file: back });
    const at = Date.now();
    expect(await summaryOf(copy, at)).toEqual(await summaryOf(original, at));
    expect(await copy.isErased('a key')).toBe(true);
    const query = {
      userId: 'user-000001',
      conversationId: null,
      words: ['message', '7'],
      after: null,
      limit: 50,
    };
    const found = async (store: typeof copy) =>
      (await store.searchMessages(query)).hits.map(({ message }) => message.messageId);
    expect(await found(copy)).toEqual(await found(original));
    const checked = await amity(['db', 'check'], { MONGODB_URI: uri });
    expect(checked).toMatchObject({ code: 0, output: 'ok: 20 users, 40 conversations, 2000 messages\n' });
  }, 120_000);

  it('no server opens a copy that is not whole, and no copy goes where something else is', async () => {
    const uri = server.newDatabase();
    await using half = await openMongoStore({ uri, isCopyTarget: true });
    await half.setCopyMark('user-000001');
    await expect(openMongoStore({ uri })).rejects.toThrow('a copy into it has not come to its end');
    await half.setCopyMark(null);
    await half.changeSettings('somebody', { locale: 'fr' });
    const refused = await amity(['db', 'copy', '--from', 'embedded', '--to', uri]);
    expect(refused).toMatchObject({ code: 1, output: '' });
    expect(refused.errors).toContain('there are users in it already');
  }, 60_000);

  it('missing indexes are named, at the start and by the doctor, and built', async () => {
    const uri = server.newDatabase();
    await (await openMongoStore({ uri }))[Symbol.asyncDispose]();
    const admin = await mongoose.createConnection(uri).asPromise();
    await admin.collection('messages').dropIndex('seq');
    await admin.collection('messages').dropIndex('line');
    await admin.collection('messages').createIndex({ text: 1 }, { name: 'of my own' });
    await expect(openMongoStore({ uri })).rejects.toThrow(
      /it lacks the indexes messages\.seq, messages\.line: run `amity db indexes --build`/,
    );
    const doctor = await amity(['doctor'], { MONGODB_URI: uri });
    expect(doctor.output).toContain('messages.seq');
    const shown = await amity(['db', 'indexes'], { MONGODB_URI: uri });
    expect(shown).toMatchObject({ code: 1 });
    expect(shown.output).toContain('missing  messages.line');
    expect(shown.output).toContain('unknown  messages.of my own (left alone)');
    expect(await amity(['db', 'indexes', '--build'], { MONGODB_URI: uri })).toMatchObject({ code: 0 });
    await (await openMongoStore({ uri }))[Symbol.asyncDispose]();
    await admin.collection<{ _id: string }>('meta').updateOne({ _id: 'schema' }, { $set: { value: 99 } });
    await expect(openMongoStore({ uri })).rejects.toThrow('written by a newer Amity (schema 99');
    await admin.close();
  }, 60_000);

  it('a database of an older schema is refused, and brought up to date', async () => {
    const uri = server.newDatabase();
    const older = await openMongoStore({ uri });
    const ada = await createScenario(older);
    const turn = ada.turn();
    await older.appendTurn(turn);
    await older[Symbol.asyncDispose]();
    // As it was before the request of a message named its user, and before versions were kept.
    const admin = await mongoose.createConnection(uri).asPromise();
    const messages = admin.collection('messages');
    await messages.updateMany({}, { $unset: { 'request.userId': 1 } });
    await messages.dropIndex('request');
    const onlyWith = { partialFilterExpression: { 'request.clientId': { $exists: true } } };
    const keys = { userId: 1, 'request.clientId': 1 } as const;
    await messages.createIndex(keys, { name: 'request', unique: true, ...onlyWith });
    await admin.collection<{ _id: string }>('meta').deleteOne({ _id: 'schema' });
    await admin.close();
    await expect(openMongoStore({ uri })).rejects.toThrow('it is of schema 0, and this Amity needs 2');
    expect(await amity(['db', 'indexes', '--build'], { MONGODB_URI: uri })).toMatchObject({ code: 0 });
    await using store = await openMongoStore({ uri });
    expect(await store.conversation(ada.userId, ada.conversationId)).toMatchObject({ lastSeq: 2 });
    expect(await store.appendTurn(turn)).toMatchObject({
      kind: 'duplicate',
      generationId: turn.generationId,
    });
  }, 60_000);
});

it('a check names what is wrong, and what names no store is refused', async () => {
  const file = join(dataDirectory, 'broken', 'amity.db');
  await using store = await openEmbeddedStore({ file });
  await fillStore(store, 100);
  using connection = new Connection(file, 1000);
  connection.write(() =>
    connection.exec("UPDATE conversations SET last_seq = 60 WHERE user_id = 'user-000000'"),
  );
  const checked = await amity(['db', 'check', '--json'], { DATA_DIR: join(dataDirectory, 'broken') });
  expect(checked.code).toBe(1);
  expect(JSON.parse(checked.output)).toMatchObject({
    ...{ ok: false, count: 2, messages: 100 },
    problems: [
      expect.stringContaining('of 60 messages that were counted, 50 are there and 0 were deleted'),
      expect.anything(),
    ],
  });
  for (const [args, problem] of [
    [['--from', 'embedded', '--to', 'embedded'], 'are one store'],
    [['--from', 'elsewhere', '--to', 'embedded'], 'elsewhere is no store'],
    [['--from', 'embedded:/no/such.db', '--to', 'embedded'], 'There is no store at /no/such.db'],
  ] as const)
    expect((await amity(['db', 'copy', ...args])).errors).toContain(problem);
}, 60_000);
