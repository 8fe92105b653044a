import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deleteStale } from '../../../src/records/retention.ts';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.ts';
import type { Store } from '../../../src/storage/store.ts';

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amity-retention-'));
  store = await openEmbeddedStore({ file: join(directory, 'amity.db') });
  for (let n = 0; n < 1200; n += 1)
    await store.createConversation({
      ...{ userId: `user ${n % 7}`, conversationId: `c${n}`, title: null, personaId: null },
      at: n < 700 ? 100 : 200,
    });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const standing = async () => {
  const ids: string[] = [];
  for (let n = 0; n < 7; n += 1)
    ids.push(...(await store.conversationIds({ userId: `user ${n}`, after: null, limit: 1000 })));
  return ids.length;
};

it('deletes what is older than it may become, of all users, and nothing else', async () => {
  const { signal } = new AbortController();
  expect(await deleteStale(store, { before: 150, signal })).toBe(700);
  expect(await standing()).toBe(500);
  expect(await deleteStale(store, { before: 150, signal })).toBe(0);
  // At that moment itself is not before it.
  expect(await deleteStale(store, { before: 200, signal })).toBe(0);
});

it('ends between two conversations when it is told to', async () => {
  const end = new AbortController();
  const stopping = {
    conversationAges: store.conversationAges,
    deleteConversation: (userId: string, conversationId: string) => {
      end.abort();
      return store.deleteConversation(userId, conversationId);
    },
  };
  expect(await deleteStale(stopping, { before: 150, signal: end.signal })).toBe(1);
  expect(await standing()).toBe(1199);
});
