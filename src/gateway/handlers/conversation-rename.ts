import type { Handler } from '../handler.ts';
import { findConversation, missing } from '../ownership.ts';
import { emitConversation } from '../selection.ts';
import { toWireConversation } from '../to-wire.ts';
import { toTitle } from './conversation-create.ts';

export const conversationRename: Handler<'conversation:rename'> = async (call, payload, ack) => {
  const { session, store, clock } = call;
  const { conversationId } = payload;
  const title = toTitle(payload.title);
  const before = await findConversation(call, conversationId);
  const renamed = await store.renameConversation({
    ...{ userId: session.userId, conversationId, title, at: clock.now() },
  });
  if (renamed === null) return missing('conversation');
  ack({ conversation: toWireConversation(renamed) });
  if (renamed.rev !== before.rev) emitConversation(call, renamed);
};
