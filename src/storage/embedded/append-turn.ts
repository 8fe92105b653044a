import type { AppendedTurn, AskedTurn, NewTurn } from '../../conversation/stores.ts';
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
export function prepareAppendTurn(connection: Connection, rows: Rows) {
  const { conversations, messages, generations } = rows;
  const requests = prepareRequests(connection);

  function askedTurn(userId: string, clientMessageId: string): AskedTurn | null {
    const request = requests.find(userId, clientMessageId);
    if (request === undefined) return null;
    const user = stored(messages.find(request.message_id));
    return { bodyHash: request.body_hash, user, generationId: request.generation_id };
  }

  function answerAgain(turn: NewTurn): AppendedTurn | null {
    const asked = askedTurn(turn.userId, turn.clientMessageId);
    if (asked === null) return null;
    const { bodyHash, user, generationId } = asked;
    if (bodyHash === turn.bodyHash) return { kind: 'duplicate', user, generationId };
    return { kind: 'conflict', reason: 'clientMessageId was used before with another body' };
  }

  function appendTurn(turn: NewTurn): AppendedTurn {
    const again = answerAgain(turn);
    if (again !== null) return again;
    const conversation = conversations.find(turn.userId, turn.conversationId);
    if (conversation === undefined) return { kind: 'not_found' };
    const parent = findParent(rows, turn, conversation.selected_leaf_id);
    if ('kind' in parent) return parent;
    insertTurn(rows, turn, {
      parentId: parent.parentId,
      seq: conversation.last_seq + 1,
      rev: conversation.rev + 1,
    });
    requests.insert(turn);
    return {
      kind: 'created',
      user: stored(messages.find(turn.userMessageId)),
      companion: stored(messages.find(turn.companionMessageId)),
      generation: stored(generations.find(turn.generationId)),
    };
  }

  return { appendTurn, askedTurn };
}

/** What clients have asked for, by the id that they gave it. */
function prepareRequests(connection: Connection) {
  const byId = connection.prepare<RequestRow>(
    'SELECT body_hash, message_id, generation_id FROM client_requests WHERE user_id = ? AND client_id = ?',
  );
  const insert = connection.prepare(
    `INSERT INTO client_requests (user_id, client_id, conversation_id, body_hash, message_id, generation_id)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  return {
    find: (userId: string, clientMessageId: string) => byId.first([userId, clientMessageId]),
    insert: (turn: NewTurn) =>
      insert.run([
        turn.userId,
        turn.clientMessageId,
        turn.conversationId,
        turn.bodyHash,
        turn.userMessageId,
        turn.generationId,
      ]),
  };
}

function findParent({ messages }: Rows, turn: NewTurn, selectedLeafId: string | null): Parent {
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

/** @param first place of the user message; the companion message takes the next `seq` and `rev`. */
function insertTurn(
  { conversations, messages, generations }: Rows,
  turn: NewTurn,
  first: { readonly parentId: string | null; readonly seq: number; readonly rev: number },
): void {
  const { conversationId, userId, at, generationId } = turn;
  const [messageId, replyTo] = [turn.companionMessageId, turn.userMessageId];
  conversations.addTurn({ conversationId, leafId: messageId, at });
  messages.insert({
    ...first,
    messageId: replyTo,
    conversationId,
    userId,
    role: 'user',
    text: turn.text,
    status: 'done',
    at,
    clientMessageId: turn.clientMessageId,
    generationId: null,
  });
  messages.insert({
    messageId,
    conversationId,
    userId,
    seq: first.seq + 1,
    rev: first.rev + 1,
    role: 'companion',
    text: '',
    status: 'queued',
    at,
    parentId: replyTo,
    clientMessageId: null,
    generationId,
  });
  generations.insert({ generationId, conversationId, userId, messageId, replyTo, at });
}

/** For a row that this transaction has written or that a foreign key holds. */
function stored<T>(row: T | null): T {
  if (row === null) throw new Error('A stored row is gone within its transaction.');
  return row;
}
