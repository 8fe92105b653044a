import { CodedError } from '../../std/coded-error.ts';
import type { Handler } from '../handler.ts';
import { missing } from '../ownership.ts';
import { toWireMessage } from '../to-wire.ts';

/** Makes another candidate the text of its message; a preference, and logged as one. */
export const replyChoose: Handler<'reply:choose'> = async (
  { session, sessions, store, clock },
  payload,
  ack,
) => {
  const chosen = await store.chooseCandidate({ ...payload, userId: session.userId, at: clock.now() });
  if (chosen === null) return missing('message or candidate');
  if (chosen === 'unsupported')
    throw new CodedError('unsupported', 'Only finished candidates of a reply that has ended can be chosen.');
  const message = toWireMessage(chosen);
  ack({ message });
  for (const device of sessions.of(session.userId)) device.emit('message:updated', { message });
};
