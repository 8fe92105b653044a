import { limits } from '../../protocol/limits.ts';
import type { Handler } from '../handler.ts';
import { findConversation } from '../ownership.ts';
import { toWireMessage } from '../to-wire.ts';

/** A page of the selected branch, oldest first, before `beforeSeq`. */
export const historyPage: Handler<'history:page'> = async (call, payload, ack) => {
  const { conversationId, selectedLeafId: leafId } = await findConversation(call, payload.conversationId);
  if (leafId === null) return ack({ messages: [], hasMore: false });
  const { beforeSeq, limit = limits.pageDefault } = payload;
  const before = beforeSeq === undefined ? {} : { beforeSeq };
  const page = await call.store.branchPage({ conversationId, leafId, limit, ...before });
  ack({ messages: page.messages.map(toWireMessage), hasMore: page.hasMore });
};
