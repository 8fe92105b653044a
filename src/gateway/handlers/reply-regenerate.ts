import { regenerateReply } from '../../conversation/regenerate-reply.ts';
import type { Handler } from '../handler.ts';
import { toWireMessage } from '../to-wire.ts';

/** One more reply beside the others; all devices of the user follow it. */
export const replyRegenerate: Handler<'reply:regenerate'> = async (call, payload, ack) => {
  const { session, sessions } = call;
  const made = await regenerateReply(call, { ...payload, userId: session.userId });
  const { generationId, companion } = made;
  session.join(companion.conversationId);
  ack({ generationId, duplicate: made.kind === 'duplicate' });
  if (made.kind === 'duplicate') return;
  for (const device of sessions.of(session.userId)) {
    for (const sibling of made.olderSiblings)
      device.emit('message:updated', { message: toWireMessage(sibling) });
    device.follow(made.reply, 0);
  }
};
