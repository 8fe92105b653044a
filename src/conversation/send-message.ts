/** A message comes in: stored together with the place for its reply, then put in line to be answered. */
import type { Message } from './message.ts';
import type { Reply } from './reply.ts';
import type { AppendedTurn, NewTurn, TurnPlace } from './stores.ts';
import { notAppended, stopBelow, type TurnDeps, takeTurn } from './take-turn.ts';

export interface SendRequest {
  readonly userId: string;
  readonly clientMessageId: string;
  /** undefined = the user's default conversation. */
  readonly conversationId: string | undefined;
  readonly text: string;
  readonly parentId: string | null | undefined;
}

export interface EditRequest {
  readonly userId: string;
  readonly clientMessageId: string;
  /** The user message that gets another version. */
  readonly messageId: string;
  readonly text: string;
}

export type Sent =
  | {
      readonly kind: 'created';
      readonly user: Message;
      readonly generationId: string;
      readonly reply: Reply;
      /** Older versions of the message: it is one more beside them. */
      readonly olderSiblings: readonly Message[];
    }
  | { readonly kind: 'duplicate'; readonly user: Message; readonly generationId: string };

/**
 * A repeat of an earlier request gets the first answer, also when nothing new is taken.
 *
 * @throws CodedError `overloaded`, `model_unavailable`, `shutting_down`, `conflict`, `unsupported`, `not_found` or
 * `store_unavailable`; nothing is stored then.
 */
export async function sendMessage(deps: TurnDeps, request: SendRequest): Promise<Sent> {
  const { userId, parentId } = request;
  const conversationId =
    request.conversationId ?? (await openDefaultConversation(deps, userId)).conversationId;
  const text = request.text.normalize('NFC');
  const body = { event: 'message:send', conversationId, parentId, text };
  return storeTurn(deps, { ...request, conversationId, text, body, place: { parentId } });
}

/**
 * Another version of a user message, beside it, with a reply of its own; what is being written below the old one stops.
 *
 * @throws CodedError as `sendMessage`; `unsupported` for a message of the companion.
 */
export async function editMessage(deps: TurnDeps, request: EditRequest): Promise<Sent> {
  const { userId, messageId } = request;
  const edited = await deps.store.message(userId, messageId);
  if (edited === null) return notAppended({ kind: 'not_found' });
  const { conversationId } = edited;
  const text = request.text.normalize('NFC');
  const body = { event: 'message:edit', messageId, text };
  return storeTurn(deps, { ...request, conversationId, text, body, place: { siblingOf: messageId } });
}

interface TurnParts {
  readonly userId: string;
  readonly clientMessageId: string;
  readonly conversationId: string;
  readonly text: string;
  readonly place: TurnPlace;
  /** All that makes the request what it is. */
  readonly body: object;
}

async function storeTurn(deps: TurnDeps, parts: TurnParts): Promise<Sent> {
  const { userId, clientMessageId, conversationId, text, place, body } = parts;
  const turn: NewTurn = {
    userId,
    conversationId,
    clientId: clientMessageId.toLowerCase(),
    bodyHash: deps.digest(JSON.stringify(body)),
    text,
    place,
    userMessageId: deps.ids.messageId(),
    companionMessageId: deps.ids.messageId(),
    generationId: deps.ids.generationId(),
    at: deps.clock.now(),
  };
  const { clientId, bodyHash } = turn;
  return takeTurn<Sent>(deps, {
    userId,
    clientId,
    bodyHash,
    work: async () => toSent(deps, turn, await deps.store.appendTurn(turn)),
    repeat: ({ message: user, generationId }) => ({ kind: 'duplicate', user, generationId }),
  });
}

async function toSent(deps: TurnDeps, turn: NewTurn, appended: AppendedTurn): Promise<Sent> {
  if (appended.kind === 'duplicate') return appended;
  if (appended.kind !== 'created') return notAppended(appended);
  const { user, companion, olderSiblings } = appended;
  const { userId, conversationId, generationId, place } = turn;
  if ('siblingOf' in place) await stopBelow(deps, { conversationId, messageId: place.siblingOf });
  const reply = deps.replies.begin({
    generationId,
    conversationId,
    userId,
    replyTo: user.messageId,
    parentId: user.parentId,
    companion,
  });
  return { kind: 'created', user, generationId, reply, olderSiblings };
}

/** The conversation that a user has without asking for one; made at first use. */
export function openDefaultConversation(deps: Pick<TurnDeps, 'store' | 'ids' | 'clock'>, userId: string) {
  return deps.store.defaultConversation({
    userId,
    newConversationId: deps.ids.conversationId(),
    at: deps.clock.now(),
  });
}
