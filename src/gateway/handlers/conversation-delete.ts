import { tellDevices } from '../devices.ts';
import type { Handler } from '../handler.ts';
import { findConversation, missing } from '../ownership.ts';

/** Replies that are being written end first, so that every device sees their ends before the conversation goes. */
export const conversationDelete: Handler<'conversation:delete'> = async (call, { conversationId }, ack) => {
  const { store, replies } = call;
  await findConversation(call, conversationId);
  await replies.stopAll(replies.active(conversationId));
  const isDeleted = await store.deleteConversation(call.session.userId, conversationId);
  if (!isDeleted) return missing('conversation');
  ack({});
  tellDevices(call, 'conversation:deleted', { conversationId });
  // What was stored between the two has lost its place.
  for (const { turn } of replies.active(conversationId)) replies.cancel(turn.generationId);
};
