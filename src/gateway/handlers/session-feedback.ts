import type { Handler } from '../handler.ts';
import { findConversation } from '../ownership.ts';

/** How a conversation left the user; each time that they say so counts. */
export const sessionFeedback: Handler<'session:feedback'> = async (call, { conversationId, rating }, ack) => {
  const { session, store, clock } = call;
  await findConversation(call, conversationId);
  await store.appendFeedback({ userId: session.userId, conversationId, rating, at: clock.now() });
  ack({});
};
