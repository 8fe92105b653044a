import type { Handler } from '../handler.ts';
import { findConversation, missing } from '../ownership.ts';
import { emitConversation } from '../selection.ts';

/** How far the user has read, on whichever device. */
export const conversationRead: Handler<'conversation:read'> = async (call, { conversationId, seq }, ack) => {
  const { session, store } = call;
  const before = await findConversation(call, conversationId);
  const read = await store.markRead({ userId: session.userId, conversationId, seq });
  if (read === null) return missing('conversation');
  ack({});
  if (read.rev !== before.rev) emitConversation(call, read);
};
