import { regenerateReply } from '../../conversation/regenerate-reply.ts';
import type { Handler } from '../handler.ts';
import { followRepeated } from '../repeats.ts';
import { tellSelected } from '../selection.ts';
import { toWireMessage } from '../to-wire.ts';

/** One more reply beside the others; all devices of the user follow it. */
export const replyRegenerate: Handler<'reply:regenerate'> = async (call, payload, ack) => {
  const { session, sessions, observer } = call;
  const { clientRequestId, messageId } = payload;
  const made = await regenerateReply(call, { userId: session.userId, clientRequestId, messageId });
  const { generationId } = made;
  const { conversationId } = made.kind === 'duplicate' ? made : made.companion;
  session.join(conversationId);
  const acknowledge = () => ack({ generationId, duplicate: made.kind === 'duplicate' });
  if (made.kind === 'duplicate') return followRepeated(call, made, acknowledge);
  acknowledge();
  observer.replyRegenerated();
  for (const device of sessions.of(session.userId)) {
    for (const sibling of made.olderSiblings)
      device.emit('message:updated', { message: toWireMessage(sibling) });
    device.follow(made.reply, 0);
  }
  await tellSelected(call, made.companion);
};
