import { resumeTurn } from '../conversation/resume-turn.ts';
import type { Duplicate } from '../conversation/stores.ts';
import type { Call } from './handler.ts';
import { toWireMessage } from './to-wire.ts';

/** A repeat of a request whose first answer got lost sets going what was stored; all devices of the user follow it. */
export async function followRepeated(call: Call, { generationId }: Duplicate): Promise<void> {
  const { userId } = call.session;
  const reply = await resumeTurn(call, { userId, generationId });
  if (reply === null) return;
  for (const device of call.sessions.of(userId)) {
    device.emit('message:created', { message: toWireMessage(reply.turn.user) });
    device.follow(reply, 0);
  }
}
