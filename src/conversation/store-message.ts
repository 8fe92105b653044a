/** A user message is stored together with the place for its reply, then put in line to be answered. */
import type { Message } from './message.ts';
import type { Reply } from './reply.ts';
import type { Duplicate, NewTurn, TurnPlace } from './stores.ts';
import { findRepeated, notAppended, quotaNow, type TurnDeps, takeTurn, toTurn } from './take-turn.ts';

/** What a client asks to be stored. */
export interface Writing {
  readonly userId: string;
  readonly clientMessageId: string;
  readonly conversationId: string;
  /** In NFC. */
  readonly text: string;
  readonly place: TurnPlace;
  /** All that makes the request what it is: a repeat has the same. */
  readonly body: object;
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
  | Duplicate;

/** @throws CodedError as `sendMessage`. */
export function storeMessage(deps: TurnDeps, writing: Writing): Promise<Sent> {
  const turn = toNewTurn(deps, writing);
  const { userId, clientId, bodyHash } = turn;
  return takeTurn(deps, {
    userId,
    clientId,
    bodyHash,
    work: () => storeAndBegin(deps, turn),
  });
}

/** What the same request was answered before, when that is all that is left to answer; else null. */
export function findRepeatedMessage(
  deps: TurnDeps,
  request: Pick<Writing, 'userId' | 'clientMessageId' | 'body'>,
): Promise<Duplicate | null> {
  return findRepeated(deps, identify(deps, request));
}

function identify(
  { digest }: TurnDeps,
  { userId, clientMessageId, body }: Pick<Writing, 'userId' | 'clientMessageId' | 'body'>,
) {
  return { userId, clientId: clientMessageId.toLowerCase(), bodyHash: digest(JSON.stringify(body)) };
}

function toNewTurn(deps: TurnDeps, writing: Writing): NewTurn {
  const { ids, clock } = deps;
  const { conversationId, text, place } = writing;
  const { userId, clientId, bodyHash } = identify(deps, writing);
  return {
    userId,
    clientId,
    bodyHash,
    conversationId,
    text,
    place,
    quota: quotaNow(deps),
    userMessageId: ids.messageId(),
    companionMessageId: ids.messageId(),
    generationId: ids.generationId(),
    at: clock.now(),
  };
}

/** In line in the tick in which the store answers: turns are answered in the order in which they were stored. */
async function storeAndBegin(deps: TurnDeps, turn: NewTurn): Promise<Sent> {
  const appended = await deps.store.appendTurn(turn);
  if (appended.kind === 'duplicate') return appended;
  if (appended.kind !== 'created') return notAppended(deps, appended);
  const { user, generation, olderSiblings } = appended;
  const reply = deps.replies.begin(toTurn(appended));
  return { kind: 'created', user, generationId: generation.generationId, reply, olderSiblings };
}
