import { limits } from '../../protocol/limits.ts';
import type { Handler } from '../handler.ts';
import { findConversation, findMessage, missing } from '../ownership.ts';
import { emitConversation } from '../selection.ts';
import { toWireConversation, toWireMessage } from '../to-wire.ts';

/** Selects the branch through a message, and answers with its newest page. */
export const branchSelect: Handler<'branch:select'> = async (call, { messageId }, ack) => {
  const { session, store, clock } = call;
  const { conversationId } = await findMessage(call, messageId);
  const before = await findConversation(call, conversationId);
  const selected = await store.selectBranch({ userId: session.userId, messageId, at: clock.now() });
  if (selected === null) return missing('message');
  const leafId = selected.selectedLeafId ?? messageId;
  const page = await store.branchPage({ conversationId, leafId, limit: limits.pageDefault });
  ack({ conversation: toWireConversation(selected), messages: page.messages.map(toWireMessage) });
  // `rev` and not the leaf: in between, another device may have selected this very branch back.
  if (selected.rev !== before.rev) emitConversation(call, selected);
};
