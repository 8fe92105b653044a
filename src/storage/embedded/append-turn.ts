import type { Conversation } from '../../conversation/message.ts';
import type { AppendedTurn, NewTurn, NotAppended } from '../../conversation/stores.ts';
import { asCreated, type Created, type TurnPlace } from '../new-turn.ts';
import type { ClientRequests } from './client-requests.ts';
import type { DailyTurns } from './daily-turns.ts';
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
 * process. A repeated request is found where its id cannot be inserted again, or where something else is against the turn, so that a
 * new one, which is the rule, is not looked up.
 */
export function appendTurn(rows: Rows, { requests, daily }: Requested, turn: NewTurn): AppendedTurn {
  const place = findPlace(rows, daily, turn);
  if ('kind' in place) return requests.repeated(turn, 'user') ?? place;
  const isNew = requests.insert({
    userId: turn.userId,
    clientId: turn.clientId,
    conversationId: turn.conversationId,
    bodyHash: turn.bodyHash,
    messageId: turn.userMessageId,
    generationId: turn.generationId,
    seq: place.seq,
    role: 'user',
  });
  if (!isNew) return stored(requests.repeated(turn, 'user'));
  const created = asCreated(turn, place);
  insertTurn(rows, turn, created);
  if (place.versions === 0) return created;
  const user = stored(rows.messages.find(turn.userMessageId));
  return { ...created, user, olderSiblings: changeOlderVersions(rows, user) };
}

interface Place extends TurnPlace {
  /** Messages of the user that follow the same one already. */
  readonly versions: number;
}

function findPlace(rows: Rows, daily: DailyTurns, turn: NewTurn): Place | NotAppended {
  const { conversations, messages } = rows;
  const { userId, conversationId } = turn;
  const conversation = conversations.standing(userId, conversationId);
  if (conversation === undefined) return { kind: 'not_found' };
  const parent = findParent(rows, turn, conversation.selected_leaf_id);
  if ('kind' in parent) return parent;
  const { parentId } = parent;
  // Nothing has been said after the leaf that is selected.
  const isFirst = parentId !== null && parentId === conversation.selected_leaf_id;
  const versions = isFirst ? 0 : messages.countVersions({ parentId, conversationId, role: 'user' });
  const refused = refuseVersion(versions) ?? daily.refuse(userId, turn.quota);
  if (refused !== null) return refused;
  return { parentId, seq: conversation.last_seq + 1, rev: conversation.rev + 1, versions };
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

function insertTurn({ conversations, messages, generations }: Rows, turn: NewTurn, created: Created): void {
  const { conversationId, at, companionMessageId: leafId } = turn;
  conversations.addMessages({ conversationId, messages: 2, leafId, at, day: turn.quota?.day ?? null });
  messages.insert(created.user);
  messages.insert(created.companion);
  generations.insert(created.generation);
}
