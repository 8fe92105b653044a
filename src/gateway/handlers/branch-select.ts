import { limits } from '../../protocol/limits.ts';
import type { Handler } from '../handler.ts';
import { findConversation, findMessage, missing } from '../ownership.ts';
import { toWireConversation, toWireMessage } from '../to-wire.ts';

/** Selects the branch through a message, and answers with its newest page. */
export const branchSelect: Handler<'branch:select'> = async (call, { messageId }, ack) => {
  const { session, sessions, store, clock } = call;
  const { conversationId } = await findMessage(call, messageId);
  const before = await findConversation(call, conversationId);
  const selected = await store.selectBranch({ userId: session.userId, messageId, at: clock.now() });
  if (selected === null) return missing('message');
  const leafId = selected.selectedLeafId ?? messageId;
  const page = await store.branchPage({ conversationId, leafId, limit: limits.pageDefault });
  const conversation = toWireConversation(selected);
  ack({ conversation, messages: page.messages.map(toWireMessage) });
  if (selected.selectedLeafId === before.selectedLeafId) return;
  for (const device of sessions.of(session.userId)) device.emit('conversation:updated', { conversation });
};
