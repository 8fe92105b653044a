import type {
  FinishReason,
  GenerationStatus,
  Message,
  ReactionKind,
  Role,
  Siblings,
} from '../../conversation/message.ts';
import type { BranchQuery } from '../../conversation/stores.ts';
import { siblingPlace } from '../sibling-place.ts';
import type { Connection } from './connection.ts';
import { fromStoredText, toStoredText } from './stored-text.ts';

interface MessageRow {
  readonly message_id: string;
  readonly conversation_id: string;
  readonly user_id: string;
  readonly seq: number;
  readonly rev: number;
  readonly role: Role;
  readonly text: string;
  readonly status: GenerationStatus;
  readonly created_at: number;
  readonly parent_id: string | null;
  readonly client_message_id: string | null;
  readonly generation_id: string | null;
  readonly finish_reason: FinishReason | null;
  readonly shown_candidate_id: string | null;
  readonly model: string | null;
  readonly variant: string | null;
  readonly reaction_kind: ReactionKind | null;
  readonly reaction_comment: string | null;
  readonly reaction_at: number | null;
}

/** Messages of one parent and role: versions of one another. */
export type VersionGroup = Pick<Message, 'parentId' | 'conversationId' | 'role'>;

const columns = `m.message_id, m.conversation_id, m.user_id, m.seq, m.rev, m.role, m.text, m.status, m.created_at,
  m.parent_id, m.client_message_id, m.generation_id, m.finish_reason, m.shown_candidate_id, m.model,
  m.variant, r.kind AS reaction_kind, r.comment AS reaction_comment, r.at AS reaction_at`;
const reactionJoin = 'LEFT JOIN reactions r ON r.message_id = m.message_id AND r.user_id = m.user_id';

/**
 * Up the parents from the leaf. `taken` counts the rows before `:beforeSeq`, so that the walk ends with the page, not
 * at the root; one row more than the page shows whether there is more.
 */
const branchSql = `
  WITH RECURSIVE branch (row, parent_id, seq, taken) AS (
    SELECT rowid, parent_id, seq, seq < :beforeSeq FROM messages
    WHERE message_id = :leafId AND conversation_id = :conversationId
    UNION ALL
    SELECT p.rowid, p.parent_id, p.seq, branch.taken + (p.seq < :beforeSeq)
    FROM branch JOIN messages p ON p.message_id = branch.parent_id
    WHERE branch.taken <= :limit
  )
  SELECT ${columns} FROM branch CROSS JOIN messages m ON m.rowid = branch.row ${reactionJoin}
  WHERE branch.seq < :beforeSeq`;

/** Changed since they were inserted, or inserted since: with the first from the end that was not, all before it were not. */
const changedAfterSql = `
  SELECT ${columns} FROM messages m ${reactionJoin} WHERE m.rowid IN (
    SELECT rowid FROM messages WHERE conversation_id = :conversationId AND rev > :afterRev AND rev > born_rev
    UNION
    SELECT rowid FROM messages WHERE conversation_id = :conversationId AND seq > ifnull((
      SELECT seq FROM messages WHERE conversation_id = :conversationId AND born_rev <= :afterRev ORDER BY seq DESC LIMIT 1
    ), 0)
  ) ORDER BY m.seq`;

/** What is the newest of all has nothing below it. */
const newestBelowSql = `
  WITH RECURSIVE subtree (message_id, seq) AS (
    SELECT message_id, seq FROM messages WHERE message_id = :messageId
    UNION ALL
    SELECT c.message_id, c.seq FROM subtree JOIN messages c ON c.parent_id = subtree.message_id
  )
  SELECT message_id FROM subtree ORDER BY seq DESC LIMIT 1`;

// By position: two of these come with every turn, and names cost each 1.3 µs.
const insertSql = `
  INSERT INTO messages (message_id, conversation_id, user_id, seq, rev, born_rev, role, text, status, created_at,
    parent_id, client_message_id, generation_id)
  VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`;

const toNewRow = (message: Message) => [
  message.messageId,
  message.conversationId,
  message.userId,
  message.seq,
  message.rev,
  message.role,
  toStoredText(message.text),
  message.status,
  message.createdAt,
  message.parentId,
  message.clientMessageId,
  message.generationId,
];

export type MessageRows = ReturnType<typeof prepareMessageRows>;

/** Statements about messages; to be called inside a transaction. */
export function prepareMessageRows(connection: Connection) {
  const toMessages = prepareSiblings(connection);
  const byId = connection.prepare<MessageRow>(
    `SELECT ${columns} FROM messages m ${reactionJoin} WHERE m.message_id = ?`,
  );
  const changedAfter = connection.prepare<MessageRow>(changedAfterSql);
  const branch = connection.prepare<MessageRow>(branchSql);
  const countVersions = connection.prepare<{ n: number }>(
    `SELECT count(*) AS n FROM messages
     WHERE parent_id IS :parentId AND conversation_id = :conversationId AND role = :role`,
  );
  const versions = connection.prepare<MessageRow>(
    `SELECT ${columns} FROM messages m ${reactionJoin}
     WHERE m.parent_id IS :parentId AND m.conversation_id = :conversationId AND m.role = :role ORDER BY m.seq`,
  );
  const insert = connection.prepare(insertSql);
  const newestBelow = connection.prepare<{ message_id: string }>(newestBelowSql);
  const setRev = connection.prepare('UPDATE messages SET rev = ? WHERE message_id = ?');

  return {
    /** Of whatever user: the caller compares `userId`. */
    find: (messageId: string): Message | null => toMessages(byId.all([messageId]))[0] ?? null,

    changedAfter: (conversationId: string, afterRev: number): Message[] =>
      toMessages(changedAfter.all({ conversationId, afterRev })),

    branchPage({ beforeSeq = Number.MAX_SAFE_INTEGER, ...query }: BranchQuery) {
      const rows = [...branch.all({ ...query, beforeSeq })].sort((a, b) => a.seq - b.seq);
      const hasMore = rows.length > query.limit;
      return { messages: toMessages(hasMore ? rows.slice(rows.length - query.limit) : rows), hasMore };
    },

    countVersions: ({ parentId, conversationId, role }: VersionGroup): number =>
      countVersions.first({ parentId, conversationId, role })?.n ?? 0,

    versions: ({ parentId, conversationId, role }: VersionGroup): Message[] =>
      toMessages(versions.all({ parentId, conversationId, role })),

    /** The newest leaf below a message, or itself. */
    newestBelow: (messageId: string): string | null => newestBelow.first({ messageId })?.message_id ?? null,

    /** Of a message that has nothing yet but what makes it one. */
    insert: (message: Message) => insert.run(toNewRow(message)),

    setRev: (messageId: string, rev: number) => setRev.run([rev, messageId]),
  };
}

/** Gives rows their places among their siblings. */
function prepareSiblings(connection: Connection) {
  // One string and not a row for each: schema 1 set no limit to the versions of a message.
  const siblingIds = connection.prepare<{ ids: string }>(
    `SELECT json_group_array(message_id ORDER BY seq) AS ids FROM messages
     WHERE parent_id IS ? AND conversation_id = ? AND role = ?`,
  );

  function siblingPlaces({ parent_id, conversation_id, role }: MessageRow): Map<string, Siblings> {
    const ids = siblingIds.first([parent_id, conversation_id, role])?.ids ?? '[]';
    const ordered = JSON.parse(ids) as string[];
    return new Map(ordered.map((messageId, index) => [messageId, siblingPlace(ordered, index)]));
  }

  /** Looks each group of siblings up once, however many rows share it. */
  return (rows: readonly MessageRow[]): Message[] => {
    const groups = new Map<string, Map<string, Siblings>>();
    return rows.map((row) => {
      const key = `${row.role} ${row.parent_id ?? ''}`;
      const places = groups.get(key) ?? siblingPlaces(row);
      groups.set(key, places);
      return toMessage(row, places.get(row.message_id) ?? { index: 0, count: places.size });
    });
  };
}

function toMessage(row: MessageRow, siblings: Siblings): Message {
  const comment = row.reaction_comment;
  return {
    messageId: row.message_id,
    conversationId: row.conversation_id,
    userId: row.user_id,
    seq: row.seq,
    rev: row.rev,
    role: row.role,
    text: fromStoredText(row.text),
    status: row.status,
    createdAt: row.created_at,
    parentId: row.parent_id,
    clientMessageId: row.client_message_id,
    generationId: row.generation_id,
    finishReason: row.finish_reason,
    shownCandidateId: row.shown_candidate_id,
    model: row.model,
    variant: row.variant,
    reaction:
      row.reaction_kind === null || row.reaction_at === null
        ? null
        : {
            kind: row.reaction_kind,
            comment: comment === null ? null : fromStoredText(comment),
            at: row.reaction_at,
          },
    siblings,
  };
}
