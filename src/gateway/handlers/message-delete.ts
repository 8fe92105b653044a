import { stopBranch } from '../../conversation/stop-branch.ts';
import { tellDevices } from '../devices.ts';
import type { Handler } from '../handler.ts';
import { findMessage, missing } from '../ownership.ts';
import { emitConversation } from '../selection.ts';
import { toWireMessage } from '../to-wire.ts';

/** Replies that are being written there end first, so that every device sees their ends before their messages go. */
export const messageDelete: Handler<'message:delete'> = async (call, { messageId }, ack) => {
  const { session, store, replies, clock } = call;
  const message = await findMessage(call, messageId);
  await Promise.all((await stopBranch(call, message)).map((reply) => reply.stream.ended()));
  const deleted = await store.deleteMessage({ userId: session.userId, messageId, at: clock.now() });
  if (deleted === null) return missing('message');
  const { conversation, messageIds, siblings } = deleted;
  const { conversationId, rev } = conversation;
  ack({});
  tellDevices(call, 'message:deleted', { conversationId, messageIds: [...messageIds], rev });
  for (const sibling of siblings) tellDevices(call, 'message:updated', { message: toWireMessage(sibling) });
  emitConversation(call, conversation);
  const gone = new Set(messageIds);
  // What was stored between the two has lost its place.
  for (const { turn } of replies.active(conversationId))
    if (gone.has(turn.companion.messageId)) replies.cancel(turn.generationId);
};
