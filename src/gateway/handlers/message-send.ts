import { sendMessage } from '../../conversation/send-message.ts';
import type { Sent } from '../../conversation/store-message.ts';
import type { Value } from '../../protocol/events.ts';
import type { Call, Handler } from '../handler.ts';
import { followRepeated } from '../repeats.ts';
import { tellSelected } from '../selection.ts';
import { assertBytes } from '../text-limits.ts';
import { toWireMessage } from '../to-wire.ts';

/** Stores the message, acknowledges it, and lets all devices of the user follow the reply. */
export const messageSend: Handler<'message:send'> = async (call, payload, ack) => {
  assertBytes('text', payload.text);
  const { clientMessageId, conversationId, text, parentId } = payload;
  const { userId, defaultConversationId } = call.session;
  const message = { userId, clientMessageId, conversationId, defaultConversationId, text, parentId };
  const sent = await sendMessage(call, message);
  const acknowledge = () => acknowledgeSent(call, sent, ack);
  if (sent.kind === 'duplicate') return followRepeated(call, sent, acknowledge);
  acknowledge();
  // Without a parent it continues the selected branch. With one it may open another.
  if (parentId !== undefined) await tellSelected(call, sent.user);
};

/** All that reaches the clients of a message that was stored. */
export function acknowledgeSent(
  { session, sessions, observer }: Call,
  sent: Sent,
  ack: (value: Value<'message:send'>) => void,
): void {
  const { messageId, conversationId, seq } = sent.kind === 'duplicate' ? sent : sent.user;
  session.join(conversationId);
  const { generationId } = sent;
  ack({ messageId, conversationId, seq, generationId, duplicate: sent.kind === 'duplicate' });
  if (sent.kind === 'duplicate') return;
  const { user } = sent;
  observer.messageStored();
  for (const device of sessions.of(session.userId)) {
    device.emit('message:created', { message: toWireMessage(user) });
    for (const sibling of sent.olderSiblings)
      device.emit('message:updated', { message: toWireMessage(sibling) });
    device.follow(sent.reply, 0);
  }
}
