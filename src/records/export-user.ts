import type { Clock } from '../std/clock.ts';
import type { RecordStore } from './stores.ts';

/** Ids that are looked up at one time. */
const pageMax = 100;

/**
 * Everything that is kept of a user, as the text of one JSON document, piece by piece: a conversation is in memory, never all of them. What
 * is said meanwhile may or may not be in it.
 *
 * @returns the pieces; once they are returned it is sure that the store could be read.
 */
export async function exportUser(
  { store, clock }: { readonly store: RecordStore; readonly clock: Pick<Clock, 'now'> },
  userId: string,
): Promise<AsyncIterable<string>> {
  const at = clock.now();
  const user = await store.userRecord(userId);
  const head = { format: 'amity-export@1', exportedAt: new Date(at).toISOString(), ...user };
  async function* pieces() {
    yield `${JSON.stringify(head).slice(0, -1)},"conversations":[`;
    let separator = '\n';
    for await (const conversationId of conversationIds(store, userId)) {
      const record = await store.conversationRecord({ userId, conversationId, at });
      if (record === null) continue;
      yield `${separator}${JSON.stringify(record)}`;
      separator = ',\n';
    }
    yield ']}\n';
  }
  return pieces();
}

/** All of a user, by id. */
export async function* conversationIds(
  store: Pick<RecordStore, 'conversationIds'>,
  userId: string,
): AsyncGenerator<string> {
  for (let after: string | null = null; ; ) {
    const page: readonly string[] = await store.conversationIds({ userId, after, limit: pageMax });
    yield* page;
    after = page.at(-1) ?? null;
    if (page.length < pageMax) return;
  }
}
