/** A user message is stored together with the place for its reply, then put in line to be answered. */
import type { Message } from './message.ts';
import type { Reply } from './reply.ts';
import type { NewTurn, TurnPlace } from './stores.ts';
import { notAppended, type TurnDeps, takeTurn, toTurn } from './take-turn.ts';

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
  | { readonly kind: 'duplicate'; readonly user: Message; readonly generationId: string };

/** @throws CodedError as `sendMessage`. */
export function storeMessage(deps: TurnDeps, writing: Writing): Promise<Sent> {
  const turn = toNewTurn(deps, writing);
  const { userId, clientId, bodyHash } = turn;
  return takeTurn<Sent>(deps, {
    userId,
    clientId,
    bodyHash,
    work: () => storeAndBegin(deps, turn),
    repeat: ({ message: user, generationId }) => ({ kind: 'duplicate', user, generationId }),
  });
}

function toNewTurn({ digest, ids, clock }: TurnDeps, writing: Writing): NewTurn {
  const { userId, clientMessageId, conversationId, text, place, body } = writing;
  return {
    userId,
    conversationId,
    clientId: clientMessageId.toLowerCase(),
    bodyHash: digest(JSON.stringify(body)),
    text,
    place,
    userMessageId: ids.messageId(),
    companionMessageId: ids.messageId(),
    generationId: ids.generationId(),
    at: clock.now(),
  };
}

/** In line in the tick in which the store answers: turns are answered in the order in which they were stored. */
async function storeAndBegin({ store, replies }: TurnDeps, turn: NewTurn): Promise<Sent> {
  const appended = await store.appendTurn(turn);
  if (appended.kind === 'duplicate') return appended;
  if (appended.kind !== 'created') return notAppended(appended);
  const { user, generation, olderSiblings } = appended;
  const reply = replies.begin(toTurn(appended));
  return { kind: 'created', user, generationId: generation.generationId, reply, olderSiblings };
}
