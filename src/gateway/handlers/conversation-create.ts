import { defaultPersona } from '../../conversation/persona.ts';
import { conversationsMax } from '../../conversation/stores.ts';
import { CodedError } from '../../std/coded-error.ts';
import type { Handler } from '../handler.ts';
import { missing } from '../ownership.ts';
import { emitConversation } from '../selection.ts';
import { assertBytes } from '../text-limits.ts';
import { toWireConversation } from '../to-wire.ts';

/** One more conversation; the device that made it follows it. */
export const conversationCreate: Handler<'conversation:create'> = async (call, payload, ack) => {
  const { session, store, clock, ids } = call;
  const title = payload.title === undefined ? null : toTitle(payload.title);
  const personaId = payload.personaId ?? null;
  if (personaId !== null && personaId !== defaultPersona.personaId) missing('persona');
  const conversationId = ids.conversationId();
  const made = { userId: session.userId, conversationId, title, personaId, at: clock.now() };
  const conversation = await store.createConversation(made);
  if (conversation === 'unsupported')
    throw new CodedError('unsupported', `You have ${conversationsMax} conversations; delete one first.`);
  session.join(conversationId);
  ack({ conversation: toWireConversation(conversation) });
  emitConversation(call, conversation);
};

/** @throws CodedError `too_large` */
export function toTitle(text: string): string {
  const title = text.normalize('NFC').trim();
  assertBytes('title', title);
  return title;
}
