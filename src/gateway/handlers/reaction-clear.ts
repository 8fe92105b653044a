import type { Handler } from '../handler.ts';
import { missing } from '../ownership.ts';
import { toWireMessage } from '../to-wire.ts';

/** Takes the user's reaction back; harmless when there is none. */
export const reactionClear: Handler<'reaction:clear'> = async (
  { session, sessions, store, clock },
  payload,
  ack,
) => {
  const { messageId } = payload;
  const message = await store.clearReaction({ userId: session.userId, messageId, at: clock.now() });
  if (message === null) return missing('message');
  ack({ messageId, reaction: null });
  for (const device of sessions.of(session.userId)) {
    device.emit('reaction:updated', { messageId, reaction: null });
    device.emit('message:updated', { message: toWireMessage(message) });
  }
};
