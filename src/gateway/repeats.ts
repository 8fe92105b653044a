import { findUnanswered } from '../conversation/resume-turn.ts';
import type { Duplicate } from '../conversation/stores.ts';
import type { Call } from './handler.ts';
import { toWireMessage } from './to-wire.ts';

/**
 * A repeat of a request whose first answer got lost sets going what was stored; all devices of the user follow it.
 *
 * @param acknowledge told when nothing can go wrong any more: who is acknowledged does not ask again, so nobody else would set it going.
 */
export async function followRepeated(
  call: Call,
  { generationId }: Duplicate,
  acknowledge: () => void,
): Promise<void> {
  const { userId } = call.session;
  const begin = await findUnanswered(call, { userId, generationId });
  acknowledge();
  const reply = begin?.() ?? null;
  if (reply === null) return;
  for (const device of call.sessions.of(userId)) {
    device.emit('message:created', { message: toWireMessage(reply.turn.user) });
    device.follow(reply, 0);
  }
}
