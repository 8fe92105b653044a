/** A word in every place that a text can reach is found by an export, and by nothing when its user was erased: not even in the files. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { describe, expect, it } from 'vitest';
import { exportUser } from '../../src/records/export-user.ts';
import { inventory, treatments } from '../../src/records/inventory.ts';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { openStoreThread } from '../../src/storage/embedded/store-thread.ts';
import { createModels } from '../../src/storage/mongo/models.ts';
import { openMongoStore } from '../../src/storage/mongo/mongo-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { createMarkedUser, type MarkedUser, replacedPlaces } from '../support/marked-user.ts';
import { hasMongoServer, startMongoServer } from '../support/mongo-server.ts';

async function exported(store: Store, userId: string): Promise<string> {
  let text = '';
  for await (const piece of await exportUser({ store, clock: { now: () => Date.UTC(2026, 0, 2) } }, userId))
    text += piece;
  return text;
}

/** Users who talk before, beside and after the one who is erased, so that the store moves things about. */
async function talkAndErase(store: Store): Promise<{ erased: MarkedUser[]; kept: MarkedUser[] }> {
  const users: MarkedUser[] = [];
  for (let n = 0; n < 12; n += 1) users.push(await createMarkedUser(store, `u${n}x`));
  const erased = users.filter((_, n) => n % 3 === 1);
  const kept = users.filter((_, n) => n % 3 !== 1);
  for (const { userId, markers } of erased) {
    const text = await exported(store, userId);
    const missing = Object.entries(markers).filter(
      ([place, marker]) => !replacedPlaces.has(place) && !text.includes(marker),
    );
    expect(missing).toEqual([]);
  }
  for (const { userId } of erased) await store.eraseUser({ userId, userKey: `key of ${userId}`, at: 1 });
  kept.push(await createMarkedUser(store, 'later'));
  return { erased, kept };
}

/** Places whose words are in a text, of these users. */
function found(users: readonly MarkedUser[], text: string): string[] {
  return users.flatMap(({ userId, markers }) =>
    Object.entries(markers)
      .filter(([, marker]) => text.includes(marker))
      .map(([place]) => `${place} of ${userId}`),
  );
}

describe('the embedded store', () => {
  it('keeps nothing of somebody erased, in no table, and in no byte of its files', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'amity-erased-'));
    const file = join(directory, 'amity.db');
    const store = await openStoreThread({ file });
    const { erased, kept } = await talkAndErase(store);
    const files = () =>
      readdirSync(directory)
        .map((name) => readFileSync(join(directory, name), 'latin1'))
        .join('\n');
    // While the server runs, too.
    expect(found(erased, files())).toEqual([]);
    await store[Symbol.asyncDispose]();
    expect(found(erased, files())).toEqual([]);
    expect(found(kept, files()).length).toBeGreaterThan(kept.length * 10);
    await rm(directory, { recursive: true });
  });

  it('has no table that the inventory does not know', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'amity-erased-'));
    const file = join(directory, 'amity.db');
    await (await openStoreThread({ file }))[Symbol.asyncDispose]();
    using connection = new Connection(file, 1000);
    const tables = connection
      .prepare<{ name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
      )
      .all([]);
    expect(tables.map(({ name }) => name).sort()).toEqual(
      treatments('tables')
        .map(([name]) => name)
        .sort(),
    );
    await rm(directory, { recursive: true });
  });
});

describe.runIf(hasMongoServer())('MongoDB', () => {
  it('keeps nothing of somebody erased, in no collection', async () => {
    await using server = await startMongoServer();
    const uri = server.newDatabase();
    const store = await openMongoStore({ uri });
    const { erased, kept } = await talkAndErase(store);
    await store[Symbol.asyncDispose]();
    const admin = await mongoose.createConnection(uri).asPromise();
    const all: unknown[] = [];
    for (const { name } of await admin.listCollections())
      all.push(await admin.collection(name).find({}).toArray());
    await admin.close();
    expect(found(erased, JSON.stringify(all))).toEqual([]);
    for (const { userId } of erased) expect(JSON.stringify(all)).not.toContain(`"${userId}"`);
    expect(found(kept, JSON.stringify(all)).length).toBeGreaterThan(kept.length * 10);
  });
});

it('has no collection that the inventory does not know', () => {
  const models = createModels(mongoose.createConnection());
  const names = Object.values(models).map(({ collection }) => collection.collectionName);
  expect(names.sort()).toEqual(
    treatments('collections')
      .map(([name]) => name)
      .sort(),
  );
});

it('an inventory says of everything where it is exported, and what becomes of it', () => {
  for (const { what, exported, erased } of inventory)
    for (const text of [what, exported, erased]) expect(text).not.toBe('');
});
