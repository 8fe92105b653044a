import type { Handler } from '../handler.ts';
import { findConversation } from '../ownership.ts';

/** Shows the user's other devices that something is being written on this one. */
export const typingSet: Handler<'typing:set'> = async (call, { conversationId, typing }, ack) => {
  await findConversation(call, conversationId);
  ack({});
  call.session.setTyping(conversationId, typing);
};
