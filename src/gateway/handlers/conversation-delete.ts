import { stopConversation } from '../../conversation/stop-branch.ts';
import { tellDevices } from '../devices.ts';
import type { Handler } from '../handler.ts';
import { findConversation, missing } from '../ownership.ts';

/** Replies that are being written end first, so that every device sees their ends before the conversation goes. */
export const conversationDelete: Handler<'conversation:delete'> = async (call, { conversationId }, ack) => {
  await findConversation(call, conversationId);
  await stopConversation(call, conversationId);
  const isDeleted = await call.store.deleteConversation(call.session.userId, conversationId);
  if (!isDeleted) return missing('conversation');
  ack({});
  tellDevices(call, 'conversation:deleted', { conversationId });
  // What was stored between the two has lost its place.
  for (const { turn } of call.replies.active(conversationId)) call.replies.cancel(turn.generationId);
};
