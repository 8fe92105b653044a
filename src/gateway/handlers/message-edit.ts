import { editMessage } from '../../conversation/send-message.ts';
import type { Handler } from '../handler.ts';
import { assertBytes } from '../text-limits.ts';
import { acknowledgeSent } from './message-send.ts';

/** Another version of a message, beside it, with a reply of its own. */
export const messageEdit: Handler<'message:edit'> = async (call, payload, ack) => {
  assertBytes('text', payload.text);
  const sent = await editMessage(call, { ...payload, userId: call.session.userId });
  acknowledgeSent(call, sent, ack);
};
