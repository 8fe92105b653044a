import { editMessage } from '../../conversation/edit-message.ts';
import type { Handler } from '../handler.ts';
import { followRepeated } from '../repeats.ts';
import { tellSelected } from '../selection.ts';
import { assertBytes } from '../text-limits.ts';
import { acknowledgeSent } from './message-send.ts';

/** Another version of a message, beside it, with a reply of its own. */
export const messageEdit: Handler<'message:edit'> = async (call, payload, ack) => {
  assertBytes('text', payload.text);
  const { clientMessageId, messageId, text } = payload;
  const { userId } = call.session;
  const sent = await editMessage(call, { userId, clientMessageId, messageId, text });
  const acknowledge = () => acknowledgeSent(call, sent, ack);
  if (sent.kind === 'duplicate') return followRepeated(call, sent, acknowledge);
  acknowledge();
  call.observer.messageEdited();
  await tellSelected(call, sent.user);
};
