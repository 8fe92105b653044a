import { sendMessage } from '../../conversation/send-message.ts';
import type { Handler } from '../handler.ts';
import { assertBytes } from '../text-limits.ts';
import { toWireMessage } from '../to-wire.ts';

/** Stores the message, acknowledges it, and lets all devices of the user follow the reply. */
export const messageSend: Handler<'message:send'> = async (call, payload, ack) => {
  const { session, sessions } = call;
  assertBytes('text', payload.text);

  const { clientMessageId, conversationId, text, parentId } = payload;
  const sent = await sendMessage(call, {
    userId: session.userId,
    clientMessageId,
    conversationId,
    text,
    parentId,
  });

  const { user, generationId } = sent;
  session.join(user.conversationId);
  const duplicate = sent.kind === 'duplicate';
  ack({
    messageId: user.messageId,
    conversationId: user.conversationId,
    seq: user.seq,
    generationId,
    duplicate,
  });
  if (duplicate) return;
  call.observer.messageStored();

  for (const device of sessions.of(session.userId)) {
    device.emit('message:created', { message: toWireMessage(user) });
    device.follow(sent.reply, 0);
  }
};
