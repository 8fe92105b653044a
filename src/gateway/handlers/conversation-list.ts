import { limits } from '../../protocol/limits.ts';
import { fromCursor, toCursor } from '../cursor.ts';
import type { Handler } from '../handler.ts';
import { toWireConversation } from '../to-wire.ts';

/** A page of the user's conversations, the one changed last first. */
export const conversationList: Handler<'conversation:list'> = async ({ session, store }, payload, ack) => {
  const { cursor, limit = limits.pageDefault } = payload;
  const page = await store.listConversations({ userId: session.userId, after: placeOf(cursor), limit });
  const last = page.hasMore ? page.conversations.at(-1) : undefined;
  ack({
    conversations: page.conversations.map(toWireConversation),
    nextCursor: last === undefined ? null : toCursor([last.updatedAt, last.conversationId]),
  });
};

function placeOf(cursor: string | undefined) {
  if (cursor === undefined) return null;
  const [updatedAt, conversationId] = fromCursor(cursor, 'number', 'string');
  return { updatedAt, conversationId };
}
