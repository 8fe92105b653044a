import type { Conversation, Generation, Message } from '../../conversation/message.ts';
import type { AppendedTurn, NewTurn, NotAppended } from '../../conversation/stores.ts';
import type { ClientRequests } from './client-requests.ts';
import type { DailyTurns } from './daily-turns.ts';
import { asFirstVersion, type NewMessage } from './message-rows.ts';
import { type Rows, stored } from './rows.ts';
import { changeOlderVersions, refuseVersion } from './versions.ts';

/** What is known of what users have asked for. */
export interface Requested {
  readonly requests: ClientRequests;
  readonly daily: DailyTurns;
}

type Parent = { readonly parentId: string | null } | NotAppended;

/**
 * `appendTurn` for use inside `Connection.write`: its transaction is the only one that writes, here and in every other
 * process, so that looking a client's id up and inserting it is one step. The primary key of `client_requests` stands
 * guard over that.
 */
export function appendTurn(rows: Rows, { requests, daily }: Requested, turn: NewTurn): AppendedTurn {
  const { conversations, messages } = rows;
  const before = requests.repeated(turn, 'user');
  if (before !== null) return before;
  const { userId, conversationId } = turn;
  const conversation = conversations.find(userId, conversationId);
  if (conversation === undefined) return { kind: 'not_found' };
  const parent = findParent(rows, turn, conversation.selected_leaf_id);
  if ('kind' in parent) return parent;
  const { parentId } = parent;
  const versions = messages.countVersions({ parentId, conversationId, role: 'user' });
  const refused = refuseVersion(versions);
  if (refused !== null) return refused;
  const overQuota = daily.take(userId, turn.quota);
  if (overQuota !== null) return overQuota;
  const inserted = insertTurn(rows, turn, {
    parentId,
    seq: conversation.last_seq + 1,
    rev: conversation.rev + 1,
  });
  requests.insert({
    userId,
    clientId: turn.clientId,
    conversationId,
    bodyHash: turn.bodyHash,
    messageId: turn.userMessageId,
    generationId: turn.generationId,
    seq: conversation.last_seq + 1,
    role: 'user',
  });
  if (versions === 0) return { kind: 'created', ...inserted, olderSiblings: [] };
  const user = stored(messages.find(turn.userMessageId));
  return { kind: 'created', ...inserted, user, olderSiblings: changeOlderVersions(rows, user) };
}

function findParent(rows: Rows, turn: NewTurn, selectedLeafId: Conversation['selectedLeafId']): Parent {
  const { place } = turn;
  if ('siblingOf' in place) return parentOfEdited(rows, turn, place.siblingOf);
  const { parentId } = place;
  // A message of the user, too: where its reply was deleted.
  if (parentId === undefined) return { parentId: selectedLeafId };
  if (parentId === null) return { parentId };
  const parent = rows.messages.find(parentId);
  if (parent === null || parent.userId !== turn.userId) return { kind: 'not_found' };
  if (parent.conversationId !== turn.conversationId)
    return { kind: 'conflict', reason: 'parentId belongs to another conversation' };
  if (parent.role !== 'companion')
    return { kind: 'conflict', reason: 'parentId must name a message of the companion' };
  return { parentId };
}

function parentOfEdited({ messages }: Rows, turn: NewTurn, editedId: string): Parent {
  const edited = messages.find(editedId);
  if (edited === null || edited.userId !== turn.userId) return { kind: 'not_found' };
  if (edited.conversationId !== turn.conversationId)
    return { kind: 'conflict', reason: 'the edited message belongs to another conversation' };
  if (edited.role !== 'user')
    return { kind: 'unsupported', reason: 'only a message of the user can be edited' };
  return { parentId: edited.parentId };
}

/** @param first place of the user message; the companion message takes the next `seq` and `rev`. */
function insertTurn(
  { conversations, messages, generations }: Rows,
  turn: NewTurn,
  first: { readonly parentId: string | null; readonly seq: number; readonly rev: number },
): { readonly user: Message; readonly companion: Message; readonly generation: Generation } {
  const { conversationId, userId, at, generationId } = turn;
  const [messageId, replyTo] = [turn.companionMessageId, turn.userMessageId];
  conversations.addMessages({ conversationId, messages: 2, leafId: messageId, at });
  const user: NewMessage = {
    messageId: replyTo,
    conversationId,
    userId,
    seq: first.seq,
    rev: first.rev,
    role: 'user',
    text: turn.text,
    status: 'done',
    at,
    parentId: first.parentId,
    clientMessageId: turn.clientId,
    generationId: null,
  };
  messages.insert(user);
  const companion = messages.insertEmptyReply({
    messageId,
    conversationId,
    userId,
    seq: first.seq + 1,
    rev: first.rev + 1,
    at,
    parentId: replyTo,
    generationId,
  });
  const generation = generations.insert({ generationId, conversationId, userId, messageId, replyTo, at });
  return { user: asFirstVersion(user), companion, generation };
}
