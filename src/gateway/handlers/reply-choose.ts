import { CodedError } from '../../std/coded-error.ts';
import { tellDevices } from '../devices.ts';
import type { Handler } from '../handler.ts';
import { findMessage, missing } from '../ownership.ts';
import { toWireMessage } from '../to-wire.ts';
import { generationOf } from './reply-alternatives.ts';

/** Makes another candidate the text of its message; a preference, and logged as one. */
export const replyChoose: Handler<'reply:choose'> = async (call, { messageId, candidateId }, ack) => {
  const { session, store, clock, observer } = call;
  const before = await findMessage(call, messageId);
  generationOf(before);
  const choice = { userId: session.userId, messageId, candidateId, at: clock.now() };
  const chosen = await store.chooseCandidate(choice);
  if (chosen === null) return missing('message or candidate');
  if (chosen === 'unsupported')
    throw new CodedError('unsupported', 'Only finished candidates of a reply that has ended can be chosen.');
  const message = toWireMessage(chosen);
  ack({ message });
  // It was shown already.
  if (chosen.rev === before.rev) return;
  observer.replyChosen();
  tellDevices(call, 'message:updated', { message });
};
