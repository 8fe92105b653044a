import type { Role } from '../../conversation/message.ts';
import type { AskedTurn, Duplicate, FirstAnswer, NotAppended } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';

interface RequestRow {
  readonly conversation_id: string;
  readonly body_hash: string;
  readonly message_id: string;
  readonly generation_id: string;
  readonly seq: number;
  readonly role: Role;
}

/** What a client asked for under an id of its own. */
interface NewRequest extends FirstAnswer {
  readonly userId: string;
  readonly clientId: string;
  readonly bodyHash: string;
  /** Of the message that the request made. */
  readonly role: Role;
}

export type ClientRequests = ReturnType<typeof prepareClientRequests>;

/** What clients have asked for, by the id that they gave it; to be called inside a transaction. */
export function prepareClientRequests(connection: Connection) {
  const byId = connection.prepare<RequestRow>(
    `SELECT conversation_id, body_hash, message_id, generation_id, seq, role FROM client_requests
     WHERE user_id = ? AND client_id = ?`,
  );
  const insert = connection.prepare(
    `INSERT INTO client_requests (user_id, client_id, conversation_id, body_hash, message_id, generation_id, seq, role)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );

  return {
    asked(userId: string, clientId: string): AskedTurn | null {
      const row = byId.first([userId, clientId]);
      return row === undefined ? null : { bodyHash: row.body_hash, ...toFirstAnswer(row) };
    },

    /** What a request that makes a message of `role` repeats, or why it cannot; null when its id is new. */
    repeated(
      { userId, clientId, bodyHash }: Pick<NewRequest, 'userId' | 'clientId' | 'bodyHash'>,
      role: Role,
    ): Duplicate | Extract<NotAppended, { kind: 'conflict' }> | null {
      const row = byId.first([userId, clientId]);
      if (row === undefined) return null;
      if (row.body_hash === bodyHash && row.role === role)
        return { kind: 'duplicate', ...toFirstAnswer(row) };
      const name = role === 'user' ? 'clientMessageId' : 'clientRequestId';
      return { kind: 'conflict', reason: `${name} was used before with another body` };
    },

    /** False, and nothing is done, when the user has used the id before. */
    insert: (r: NewRequest): boolean =>
      insert.run([
        r.userId,
        r.clientId,
        r.conversationId,
        r.bodyHash,
        r.messageId,
        r.generationId,
        r.seq,
        r.role,
      ]) > 0,
  };
}

function toFirstAnswer(row: RequestRow): FirstAnswer {
  return {
    messageId: row.message_id,
    conversationId: row.conversation_id,
    seq: row.seq,
    generationId: row.generation_id,
  };
}
