import type { ConversationListStore } from '../conversation/stores.ts';
import type { RecordStore } from './stores.ts';

/** Conversations that are looked at one after another before others are let in. */
const pageMax = 500;

/**
 * Deletes conversations in which nothing has happened since `before`, with all that belongs to them, looking through all there are, few at a
 * time.
 *
 * @param signal ends it between two conversations.
 * @returns how many there were.
 */
export async function deleteStale(
  store: Pick<RecordStore, 'conversationAges'> & Pick<ConversationListStore, 'deleteConversation'>,
  { before, signal }: { readonly before: number; readonly signal: AbortSignal },
): Promise<number> {
  let deleted = 0;
  for (let after: string | null = null; !signal.aborted; ) {
    const page: Awaited<ReturnType<RecordStore['conversationAges']>> = await store.conversationAges({
      after,
      limit: pageMax,
    });
    for (const { userId, conversationId, updatedAt } of page) {
      if (signal.aborted) break;
      if (updatedAt < before && (await store.deleteConversation(userId, conversationId))) deleted += 1;
    }
    after = page.at(-1)?.conversationId ?? null;
    if (page.length < pageMax) break;
  }
  return deleted;
}
