import { CodedError } from '../../std/coded-error.ts';
import { tellDevices } from '../devices.ts';
import type { Handler } from '../handler.ts';
import { missing } from '../ownership.ts';
import { assertBytes } from '../text-limits.ts';
import { toWireMessage, toWireReaction } from '../to-wire.ts';

/** Sets the user's reaction to a companion message; a new kind replaces the old one. */
export const reactionSet: Handler<'reaction:set'> = async (call, payload, ack) => {
  const { session, store, clock, observer } = call;
  const { messageId, kind } = payload;
  if (payload.comment !== undefined) assertBytes('comment', payload.comment);
  const comment = payload.comment?.normalize('NFC') ?? null;
  const message = await store.setReaction({
    userId: session.userId,
    messageId,
    kind,
    comment,
    at: clock.now(),
  });
  if (message === null) return missing('message');
  if (message === 'unsupported')
    throw new CodedError('unsupported', 'Only a reply with text takes a reaction.');
  const reaction = toWireReaction(message.reaction);
  ack({ messageId, reaction });
  observer.reactionSet(kind);
  tellDevices(call, 'reaction:updated', { messageId, reaction });
  tellDevices(call, 'message:updated', { message: toWireMessage(message) });
};
