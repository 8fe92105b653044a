import type { AppendedTurn, NewTurn } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import type { Rows } from './rows.ts';

interface RequestRow {
  readonly body_hash: string;
  readonly message_id: string;
  readonly generation_id: string;
}

type Parent =
  | { readonly parentId: string | null }
  | Extract<AppendedTurn, { kind: 'conflict' | 'not_found' }>;

/**
 * `appendTurn` for use inside `Connection.write`: its transaction is the only one that writes, here and in every other
 * process, so that looking a client's id up and inserting it is one step. The primary key of `client_requests` stands
 * guard over that.
 */
export function prepareAppendTurn(connection: Connection, { conversations, messages, generations }: Rows) {
  const requestById = connection.prepare<RequestRow>(
    'SELECT body_hash, message_id, generation_id FROM client_requests WHERE user_id = ? AND client_id = ?',
  );
  const insertRequest = connection.prepare(
    `INSERT INTO client_requests (user_id, client_id, conversation_id, body_hash, message_id, generation_id)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );

  function answerAgain(turn: NewTurn): AppendedTurn | null {
    const request = requestById.first([turn.userId, turn.clientMessageId]);
    if (request === undefined) return null;
    if (request.body_hash !== turn.bodyHash)
      return { kind: 'conflict', reason: 'clientMessageId was used before with another body' };
    return {
      kind: 'duplicate',
      user: stored(messages.find(request.message_id)),
      generationId: request.generation_id,
    };
  }

  function findParent(turn: NewTurn, selectedLeafId: string | null): Parent {
    const parentId = turn.parentId === undefined ? selectedLeafId : turn.parentId;
    if (parentId === null) return { parentId };
    const parent = messages.find(parentId);
    if (parent === null || parent.userId !== turn.userId) return { kind: 'not_found' };
    if (parent.conversationId !== turn.conversationId)
      return { kind: 'conflict', reason: 'parentId belongs to another conversation' };
    if (parent.role !== 'companion')
      return { kind: 'conflict', reason: 'parentId must name a message of the companion' };
    return { parentId };
  }

  function insertTurn(
    turn: NewTurn,
    parentId: string | null,
    before: { lastSeq: number; rev: number },
  ): void {
    const { conversationId, userId, at, generationId, clientMessageId } = turn;
    conversations.addTurn({ conversationId, leafId: turn.companionMessageId, at });
    messages.insert({
      messageId: turn.userMessageId,
      conversationId,
      userId,
      seq: before.lastSeq + 1,
      rev: before.rev + 1,
      role: 'user',
      text: turn.text,
      status: 'done',
      at,
      parentId,
      clientMessageId,
      generationId: null,
    });
    messages.insert({
      messageId: turn.companionMessageId,
      conversationId,
      userId,
      seq: before.lastSeq + 2,
      rev: before.rev + 2,
      role: 'companion',
      text: '',
      status: 'queued',
      at,
      parentId: turn.userMessageId,
      clientMessageId: null,
      generationId,
    });
    const [messageId, replyTo] = [turn.companionMessageId, turn.userMessageId];
    generations.insert({ generationId, conversationId, userId, messageId, replyTo, at });
    insertRequest.run([userId, clientMessageId, conversationId, turn.bodyHash, replyTo, generationId]);
  }

  return (turn: NewTurn): AppendedTurn => {
    const again = answerAgain(turn);
    if (again !== null) return again;
    const conversation = conversations.find(turn.userId, turn.conversationId);
    if (conversation === undefined) return { kind: 'not_found' };
    const parent = findParent(turn, conversation.selected_leaf_id);
    if ('kind' in parent) return parent;
    insertTurn(turn, parent.parentId, { lastSeq: conversation.last_seq, rev: conversation.rev });
    return {
      kind: 'created',
      user: stored(messages.find(turn.userMessageId)),
      companion: stored(messages.find(turn.companionMessageId)),
      generation: stored(generations.find(turn.generationId)),
    };
  };
}

/** For a row that this transaction has written or that a foreign key holds. */
function stored<T>(row: T | null): T {
  if (row === null) throw new Error('A stored row is gone within its transaction.');
  return row;
}
