import type { ConversationListStore, DeletedMessages } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import { type Rows, stored } from './rows.ts';

type Deletion = Parameters<ConversationListStore['deleteMessage']>[0];

/** Taking messages out of a conversation; to be called inside a transaction. */
export function prepareDeletions(connection: Connection, { conversations, messages }: Rows) {
  const subtree = `WITH RECURSIVE subtree (message_id) AS (
       VALUES (:messageId)
       UNION ALL
       SELECT c.message_id FROM subtree JOIN messages c ON c.parent_id = subtree.message_id
     )`;
  const idsOf = connection.prepare<{ message_id: string }>(`${subtree} SELECT message_id FROM subtree`);
  // One statement: no message may be left whose parent is gone.
  const remove = connection.prepare(
    `DELETE FROM messages WHERE message_id IN (${subtree} SELECT message_id FROM subtree)`,
  );
  const note = connection.prepare(
    'INSERT INTO deleted_messages (conversation_id, rev, message_id) VALUES (?, ?, ?)',
  );
  const deletedAfter = connection.prepare<{ message_id: string }>(
    'SELECT message_id FROM deleted_messages WHERE conversation_id = ? AND rev > ? ORDER BY rev',
  );
  const newest = connection.prepare<{ message_id: string }>(
    'SELECT message_id FROM messages WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1',
  );
  const newestLeaf = (parentId: string | null, conversationId: string) =>
    parentId === null ? (newest.first([conversationId])?.message_id ?? null) : messages.newestBelow(parentId);

  return {
    delete({ userId, messageId, at }: Deletion): DeletedMessages | null {
      const message = messages.find(messageId);
      if (message === null || message.userId !== userId) return null;
      const { conversationId, parentId } = message;
      const find = () => stored(conversations.find(userId, conversationId) ?? null);
      const messageIds = idsOf.all({ messageId }).map((row) => row.message_id);
      const leafId = find().selected_leaf_id;
      remove.run({ messageId });
      if (leafId !== null && messageIds.includes(leafId))
        conversations.select({ conversationId, leafId: newestLeaf(parentId, conversationId), at });
      const rev = conversations.nextRev(conversationId);
      for (const deleted of messageIds) note.run([conversationId, rev, deleted]);
      for (const sibling of messages.versions(message))
        messages.setRev(sibling.messageId, conversations.nextRev(conversationId));
      conversations.touch(conversationId, at);
      return {
        conversation: conversations.toConversation(find()),
        messageIds,
        siblings: messages.versions(message),
      };
    },

    deletedAfter: (conversationId: string, afterRev: number): string[] =>
      deletedAfter.all([conversationId, afterRev]).map((row) => row.message_id),
  };
}
