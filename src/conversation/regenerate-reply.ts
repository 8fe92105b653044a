/** One more reply to the same message, beside the others. */
import type { Message } from './message.ts';
import type { Reply } from './reply.ts';
import { stopBranch } from './stop-branch.ts';
import type { Duplicate, NewReply } from './stores.ts';
import { notAppended, quotaNow, type TurnDeps, takeTurn, toTurn } from './take-turn.ts';

export interface RegenerateRequest {
  readonly userId: string;
  readonly clientRequestId: string;
  /** The companion message that gets a sibling. */
  readonly messageId: string;
}

export type Regenerated =
  | {
      readonly kind: 'created';
      readonly companion: Message;
      readonly generationId: string;
      readonly reply: Reply;
      readonly olderSiblings: readonly Message[];
    }
  | Duplicate;

/**
 * What is being written there, or below it, stops with the text that it has. A repeat of an earlier request gets the first
 * answer, also when nothing new is taken.
 *
 * @throws CodedError as `sendMessage`; `unsupported` for a message of the user.
 */
export async function regenerateReply(deps: TurnDeps, request: RegenerateRequest): Promise<Regenerated> {
  const again = toNewReply(deps, request);
  const { userId, clientId, bodyHash, siblingOf } = again;
  const made = await takeTurn(deps, {
    userId,
    clientId,
    bodyHash,
    work: () => storeAndBegin(deps, again),
  });
  if (made.kind === 'duplicate') return made;
  const old = made.olderSiblings.find(({ messageId }) => messageId === siblingOf);
  if (old !== undefined) await stopBranch(deps, old);
  return made;
}

function toNewReply(deps: TurnDeps, request: RegenerateRequest): NewReply {
  const { digest, ids, clock } = deps;
  const { userId, clientRequestId, messageId } = request;
  return {
    userId,
    clientId: clientRequestId.toLowerCase(),
    bodyHash: digest(JSON.stringify({ event: 'reply:regenerate', messageId })),
    siblingOf: messageId,
    quota: quotaNow(deps),
    companionMessageId: ids.messageId(),
    generationId: ids.generationId(),
    at: clock.now(),
  };
}

async function storeAndBegin(deps: TurnDeps, again: NewReply): Promise<Regenerated> {
  const appended = await deps.store.appendReply(again);
  if (appended.kind === 'duplicate') return appended;
  if (appended.kind !== 'created') return notAppended(deps, appended);
  const { companion, generation, olderSiblings } = appended;
  const reply = deps.replies.begin(toTurn(appended));
  return { kind: 'created', companion, generationId: generation.generationId, reply, olderSiblings };
}
