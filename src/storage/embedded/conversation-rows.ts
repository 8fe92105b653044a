import type { Conversation, Role } from '../../conversation/message.ts';
import { toPreview } from '../preview.ts';
import type { Connection } from './connection.ts';
import { fromStoredText } from './stored-text.ts';

export interface ConversationRow {
  readonly conversation_id: string;
  readonly user_id: string;
  readonly title: string | null;
  readonly persona_id: string | null;
  readonly last_seq: number;
  readonly last_read_seq: number;
  readonly rev: number;
  readonly selected_leaf_id: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

type Standing = Pick<ConversationRow, 'last_seq' | 'rev' | 'selected_leaf_id'>;

/** Messages of one turn. */
export interface AddedMessages {
  readonly conversationId: string;
  readonly messages: number;
  /** The last of them, which is selected now. */
  readonly leafId: string;
  readonly at: number;
  /** On which the turn counts; null: on none. */
  readonly day: string | null;
}

export type ConversationRows = ReturnType<typeof prepareConversationRows>;

/** Statements about single conversations; to be called inside a transaction. */
export function prepareConversationRows(connection: Connection) {
  const byId = connection.prepare<ConversationRow>(
    'SELECT * FROM conversations WHERE conversation_id = ? AND user_id = ?',
  );
  const standing = connection.prepare<Standing>(
    `SELECT last_seq, rev, selected_leaf_id FROM conversations WHERE conversation_id = ? AND user_id = ?`,
  );
  const byDefault = connection.prepare<ConversationRow>(
    'SELECT * FROM conversations WHERE user_id = ? AND is_default = 1',
  );
  const insertDefault = connection.prepare(
    `INSERT INTO conversations (conversation_id, user_id, is_default, created_at, updated_at)
     VALUES (:conversationId, :userId, 1, :at, :at)`,
  );
  const bumpRev = connection.prepare<{ rev: number }>(
    'UPDATE conversations SET rev = rev + 1 WHERE conversation_id = ? RETURNING rev',
  );
  // The clock may have been set back; a conversation does not become older by a message.
  const touch = connection.prepare(
    'UPDATE conversations SET updated_at = max(updated_at, ?) WHERE conversation_id = ?',
  );
  const addMessages = connection.prepare(
    `UPDATE conversations
     SET last_seq = last_seq + :messages, rev = rev + :messages, selected_leaf_id = :leafId, updated_at = max(updated_at, :at),
       turns_today = CASE WHEN :day IS NULL THEN turns_today WHEN turns_day = :day THEN turns_today + 1 ELSE 1 END,
       turns_day = ifnull(:day, turns_day)
     WHERE conversation_id = :conversationId`,
  );
  const select = connection.prepare(
    `UPDATE conversations SET selected_leaf_id = :leafId, rev = rev + 1, updated_at = max(updated_at, :at)
     WHERE conversation_id = :conversationId`,
  );
  const previewOf = preparePreview(connection);

  return {
    find: (userId: string, conversationId: string) => byId.first([conversationId, userId]),
    /** What a new message has to know. */
    standing: (userId: string, conversationId: string) => standing.first([conversationId, userId]),
    findDefault: (userId: string) => byDefault.first([userId]),
    insertDefault: (row: { conversationId: string; userId: string; at: number }) => insertDefault.run(row),
    addMessages: (added: AddedMessages) => addMessages.run({ ...added }),
    select: (selected: { conversationId: string; leafId: string | null; at: number }) => select.run(selected),
    touch: (conversationId: string, at: number) => touch.run([at, conversationId]),

    /** The `rev` for one more change in the conversation. */
    nextRev(conversationId: string): number {
      const row = bumpRev.first([conversationId]);
      if (row === undefined) throw new Error(`No conversation ${conversationId} to change.`);
      return row.rev;
    },

    toConversation(row: ConversationRow): Conversation {
      return { ...conversationFields(row), preview: previewOf(row.selected_leaf_id) };
    },
  };
}

/** The newest message with text on the branch of a leaf, cut short. */
function preparePreview(connection: Connection) {
  // Ends at the first text that it meets.
  const newestText = connection.prepare<{ role: Role; text: string }>(
    `WITH RECURSIVE branch (role, text, parent_id) AS (
       SELECT role, text, parent_id FROM messages WHERE message_id = ?
       UNION ALL
       SELECT m.role, m.text, m.parent_id FROM branch JOIN messages m ON m.message_id = branch.parent_id
       WHERE branch.text = ''
     )
     SELECT role, text FROM branch WHERE text <> ''`,
  );
  return (leafId: string | null): Conversation['preview'] => {
    const row = leafId === null ? undefined : newestText.first([leafId]);
    if (row === undefined) return null;
    return toPreview(row.role, fromStoredText(row.text));
  };
}

/** What a conversation says of itself. */
export function conversationFields(row: ConversationRow): Omit<Conversation, 'preview'> {
  return {
    conversationId: row.conversation_id,
    userId: row.user_id,
    title: row.title === null ? null : fromStoredText(row.title),
    personaId: row.persona_id,
    lastSeq: row.last_seq,
    lastReadSeq: row.last_read_seq,
    rev: row.rev,
    selectedLeafId: row.selected_leaf_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
