import type {
  FinishReason,
  GenerationStatus,
  Message,
  ReactionKind,
  Role,
  Siblings,
} from '../../conversation/message.ts';
import type { BranchQuery } from '../../conversation/stores.ts';
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

export interface NewMessage {
  readonly messageId: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly seq: number;
  readonly rev: number;
  readonly role: Role;
  readonly text: string;
  readonly status: GenerationStatus;
  readonly at: number;
  readonly parentId: string | null;
  readonly clientMessageId: string | null;
  readonly generationId: string | null;
}

type NewReplyMessage = Omit<NewMessage, 'role' | 'text' | 'status' | 'clientMessageId'>;

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

/** What is the newest of all has nothing below it. */
const newestBelowSql = `
  WITH RECURSIVE subtree (message_id, seq) AS (
    SELECT message_id, seq FROM messages WHERE message_id = :messageId
    UNION ALL
    SELECT c.message_id, c.seq FROM subtree JOIN messages c ON c.parent_id = subtree.message_id
  )
  SELECT message_id FROM subtree ORDER BY seq DESC LIMIT 1`;

export type MessageRows = ReturnType<typeof prepareMessageRows>;

/** Statements about messages; to be called inside a transaction. */
export function prepareMessageRows(connection: Connection) {
  const toMessages = prepareSiblings(connection);
  const byId = connection.prepare<MessageRow>(
    `SELECT ${columns} FROM messages m ${reactionJoin} WHERE m.message_id = ?`,
  );
  const changedAfter = connection.prepare<MessageRow>(
    `SELECT ${columns} FROM messages m ${reactionJoin} WHERE m.conversation_id = ? AND m.rev > ? ORDER BY m.seq`,
  );
  const branch = connection.prepare<MessageRow>(branchSql);
  const countVersions = connection.prepare<{ n: number }>(
    `SELECT count(*) AS n FROM messages
     WHERE parent_id IS :parentId AND conversation_id = :conversationId AND role = :role`,
  );
  const versions = connection.prepare<MessageRow>(
    `SELECT ${columns} FROM messages m ${reactionJoin}
     WHERE m.parent_id IS :parentId AND m.conversation_id = :conversationId AND m.role = :role ORDER BY m.seq`,
  );
  const insert = connection.prepare(
    `INSERT INTO messages (message_id, conversation_id, user_id, seq, rev, role, text, status, created_at, parent_id,
       client_message_id, generation_id)
     VALUES (:messageId, :conversationId, :userId, :seq, :rev, :role, :text, :status, :at, :parentId,
       :clientMessageId, :generationId)`,
  );
  const newestBelow = connection.prepare<{ message_id: string }>(newestBelowSql);
  const setRev = connection.prepare('UPDATE messages SET rev = ? WHERE message_id = ?');

  const insertMessage = (message: NewMessage) => insert.run({ ...message, text: toStoredText(message.text) });

  return {
    /** Of whatever user: the caller compares `userId`. */
    find: (messageId: string): Message | null => toMessages(byId.all([messageId]))[0] ?? null,

    changedAfter: (conversationId: string, afterRev: number): Message[] =>
      toMessages(changedAfter.all([conversationId, afterRev])),

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

    insert: insertMessage,

    /** The companion message that will hold a reply. @returns it as the first of its versions. */
    insertEmptyReply(reply: NewReplyMessage): Message {
      // Properties of its own first: see docs/adr/0016-literals-begin-with-their-own.md.
      const message: NewMessage = {
        role: 'companion',
        text: '',
        status: 'queued',
        clientMessageId: null,
        ...reply,
      };
      insertMessage(message);
      return asFirstVersion(message);
    },

    setRev: (messageId: string, rev: number) => setRev.run([rev, messageId]),
  };
}

/** What reading a message would give that was just inserted, without reading it. */
export function asFirstVersion({ at, ...message }: NewMessage): Message {
  return {
    createdAt: at,
    finishReason: null,
    shownCandidateId: null,
    model: null,
    variant: null,
    reaction: null,
    siblings: { index: 0, count: 1 },
    ...message,
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

function siblingPlace(ordered: readonly string[], index: number): Siblings {
  const [previousId, nextId] = [ordered[index - 1], ordered[index + 1]];
  return {
    index,
    count: ordered.length,
    ...(previousId === undefined ? {} : { previousId }),
    ...(nextId === undefined ? {} : { nextId }),
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
