import { limits } from '../../protocol/limits.ts';
import { fromCursor, toCursor } from '../cursor.ts';
import type { Handler } from '../handler.ts';
import { findConversation } from '../ownership.ts';
import { assertBytes } from '../text-limits.ts';
import { toWireMessage } from '../to-wire.ts';

const wordsMax = 16;
/** What the index has words of: all else separates them. */
const wordPattern = /[\p{L}\p{N}\p{M}\p{Co}]+/gu;

/** Messages of the user that hold the words, in one conversation or in all; the newest first. */
export const historySearch: Handler<'history:search'> = async (call, payload, ack) => {
  const { conversationId = null, cursor, limit = limits.pageDefault } = payload;
  assertBytes('query', payload.query);
  if (conversationId !== null) await findConversation(call, conversationId);
  const after = cursor === undefined ? null : fromCursor(cursor, 'number')[0];
  const words = (payload.query.normalize('NFC').match(wordPattern) ?? []).slice(0, wordsMax);
  if (words.length === 0) return ack({ hits: [], nextCursor: null });
  const { userId } = call.session;
  const found = await call.store.searchMessages({ userId, conversationId, words, after, limit });
  const last = found.hasMore ? found.hits.at(-1) : undefined;
  ack({
    hits: found.hits.map(({ message, excerpt }) => ({ message: toWireMessage(message), excerpt })),
    nextCursor: last === undefined ? null : toCursor([last.place]),
  });
};
