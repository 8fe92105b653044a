import type { Role } from '../../conversation/message.ts';
import type { AskedTurn, NotAppended } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import { type Rows, stored } from './rows.ts';

interface RequestRow {
  readonly body_hash: string;
  readonly message_id: string;
  readonly generation_id: string;
}

/** What a client asked for under an id of its own. */
interface NewRequest {
  readonly userId: string;
  readonly clientId: string;
  readonly conversationId: string;
  readonly bodyHash: string;
  /** The message that the request made: of the user for a turn, of the companion for a further reply. */
  readonly messageId: string;
  readonly generationId: string;
}

export type ClientRequests = ReturnType<typeof prepareClientRequests>;

/** What clients have asked for, by the id that they gave it; to be called inside a transaction. */
export function prepareClientRequests(connection: Connection, { messages }: Rows) {
  const byId = connection.prepare<RequestRow>(
    'SELECT body_hash, message_id, generation_id FROM client_requests WHERE user_id = ? AND client_id = ?',
  );
  const insert = connection.prepare(
    `INSERT INTO client_requests (user_id, client_id, conversation_id, body_hash, message_id, generation_id)
     VALUES (:userId, :clientId, :conversationId, :bodyHash, :messageId, :generationId)`,
  );

  function asked(userId: string, clientId: string): AskedTurn | null {
    const row = byId.first([userId, clientId]);
    if (row === undefined) return null;
    const message = stored(messages.find(row.message_id));
    return { bodyHash: row.body_hash, message, generationId: row.generation_id };
  }

  return {
    asked,

    /** What a request that makes a message of `role` repeats; null when its id is new. */
    repeated(
      { userId, clientId, bodyHash }: Pick<NewRequest, 'userId' | 'clientId' | 'bodyHash'>,
      role: Role,
    ): AskedTurn | Extract<NotAppended, { kind: 'conflict' }> | null {
      const before = asked(userId, clientId);
      if (before === null || (before.bodyHash === bodyHash && before.message.role === role)) return before;
      const name = role === 'user' ? 'clientMessageId' : 'clientRequestId';
      return { kind: 'conflict', reason: `${name} was used before with another body` };
    },

    insert: (request: NewRequest) => insert.run({ ...request }),
  };
}
