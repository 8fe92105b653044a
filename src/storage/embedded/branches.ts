import type { Conversation } from '../../conversation/message.ts';
import type { ConversationStore } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import { type Rows, stored } from './rows.ts';

type Select = Parameters<ConversationStore['selectBranch']>[0];

/** Which branch is shown; to be called inside a transaction. */
export function prepareBranches(connection: Connection, { conversations, messages }: Rows) {
  // Up from the leaf. `seq` grows along a branch, so the walk can end where the message would be.
  const onBranch = connection.prepare(
    `WITH RECURSIVE branch (message_id, parent_id, seq) AS (
       SELECT message_id, parent_id, seq FROM messages WHERE message_id = :leafId
       UNION ALL
       SELECT p.message_id, p.parent_id, p.seq FROM branch JOIN messages p ON p.message_id = branch.parent_id
       WHERE branch.seq > :seq
     )
     SELECT 1 FROM branch WHERE message_id = :messageId`,
  );

  return {
    select({ userId, messageId, at }: Select): Conversation | null {
      const message = messages.find(messageId);
      if (message === null || message.userId !== userId) return null;
      const { conversationId, seq } = message;
      const found = () => stored(conversations.find(userId, conversationId) ?? null);
      const leafId = found().selected_leaf_id;
      if (leafId === null || onBranch.first({ leafId, messageId, seq }) === undefined) {
        conversations.select({ conversationId, leafId: stored(messages.newestBelow(messageId)), at });
      }
      return conversations.toConversation(found());
    },
  };
}
