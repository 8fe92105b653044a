import type { Conversation } from '../../conversation/message.ts';
import { type ConversationListStore, conversationsMax, type ListPlace } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import type { ConversationRow } from './conversation-rows.ts';
import type { Rows } from './rows.ts';
import { toStoredText } from './stored-text.ts';

type Methods = Pick<
  ConversationListStore,
  'listConversations' | 'createConversation' | 'renameConversation' | 'markRead' | 'deleteConversation'
>;

/** Later than any: where a list begins. */
const beginning: ListPlace = { updatedAt: Number.MAX_SAFE_INTEGER, conversationId: '' };

export function conversationListMethods(connection: Connection, { conversations }: Rows): Methods {
  const statements = prepareStatements(connection);
  const find = (userId: string, conversationId: string): Conversation | null => {
    const row = conversations.find(userId, conversationId);
    return row === undefined ? null : conversations.toConversation(row);
  };
  const toStored = (title: string | null) => (title === null ? null : toStoredText(title));

  return {
    async listConversations({ userId, after, limit }) {
      return connection.read(() => {
        const rows = statements.newest.all({ userId, ...placeAfter(after), limit: limit + 1 });
        return {
          conversations: rows.slice(0, limit).map(conversations.toConversation),
          hasMore: rows.length > limit,
        };
      });
    },
    async createConversation({ userId, conversationId, title, personaId, at }) {
      return connection.write(() => {
        if ((statements.count.first([userId])?.n ?? 0) >= conversationsMax) return 'unsupported';
        statements.insert.run({ conversationId, userId, title: toStored(title), personaId, at });
        const made = find(userId, conversationId);
        if (made === null) throw new Error('A new conversation is gone within its transaction.');
        return made;
      });
    },
    async renameConversation({ userId, conversationId, title, at }) {
      return connection.write(() => {
        const before = find(userId, conversationId);
        if (before === null || before.title === title) return before;
        statements.rename.run({ conversationId, title: toStored(title), at });
        return find(userId, conversationId);
      });
    },
    async markRead({ userId, conversationId, seq }) {
      return connection.write(() => {
        const before = find(userId, conversationId);
        if (before === null) return null;
        const read = Math.min(seq, before.lastSeq);
        if (read <= before.lastReadSeq) return before;
        statements.markRead.run({ conversationId, seq: read });
        return find(userId, conversationId);
      });
    },
    async deleteConversation(userId, conversationId) {
      return connection.write(() => statements.remove.run([conversationId, userId]) > 0);
    },
  };
}

function placeAfter(after: ListPlace | null): { updatedAt: number; conversationId: string } {
  const { updatedAt, conversationId } = after ?? beginning;
  return { updatedAt, conversationId };
}

function prepareStatements(connection: Connection) {
  const insert = connection.prepare(
    `INSERT INTO conversations (conversation_id, user_id, title, persona_id, is_default, created_at, updated_at)
     VALUES (:conversationId, :userId, :title, :personaId, 0, :at, :at)`,
  );
  const count = connection.prepare<{ n: number }>(
    'SELECT count(*) AS n FROM conversations WHERE user_id = ?',
  );
  const newest = connection.prepare<ConversationRow>(
    `SELECT * FROM conversations
     WHERE user_id = :userId AND (updated_at, conversation_id) < (:updatedAt, :conversationId)
     ORDER BY updated_at DESC, conversation_id DESC LIMIT :limit`,
  );
  const rename = connection.prepare(
    `UPDATE conversations SET title = :title, rev = rev + 1, updated_at = max(updated_at, :at)
     WHERE conversation_id = :conversationId`,
  );
  const markRead = connection.prepare(
    'UPDATE conversations SET last_read_seq = :seq, rev = rev + 1 WHERE conversation_id = :conversationId',
  );
  const remove = connection.prepare('DELETE FROM conversations WHERE conversation_id = ? AND user_id = ?');
  return { insert, count, newest, rename, markRead, remove };
}
