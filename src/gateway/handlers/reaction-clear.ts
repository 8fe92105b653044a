import { tellDevices } from '../devices.ts';
import type { Handler } from '../handler.ts';
import { missing } from '../ownership.ts';
import { toWireMessage } from '../to-wire.ts';

/** Takes the user's reaction back; harmless when there is none. */
export const reactionClear: Handler<'reaction:clear'> = async (call, { messageId }, ack) => {
  const { session, store, clock } = call;
  const message = await store.clearReaction({ userId: session.userId, messageId, at: clock.now() });
  if (message === null) return missing('message');
  ack({ messageId, reaction: null });
  tellDevices(call, 'reaction:updated', { messageId, reaction: null });
  tellDevices(call, 'message:updated', { message: toWireMessage(message) });
};
