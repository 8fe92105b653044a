/** One more reply to the same message, beside the others. */
import type { Message } from './message.ts';
import type { Reply } from './reply.ts';
import type { AppendedReply, NewReply } from './stores.ts';
import { notAppended, stopBelow, type TurnDeps, takeTurn } from './take-turn.ts';

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
  | { readonly kind: 'duplicate'; readonly companion: Message; readonly generationId: string };

/**
 * What is being written on the branch stops. A repeat of an earlier request gets the first answer, also when nothing new is taken.
 *
 * @throws CodedError as `sendMessage`; `unsupported` for a message of the user.
 */
export async function regenerateReply(deps: TurnDeps, request: RegenerateRequest): Promise<Regenerated> {
  const { userId, messageId } = request;
  const body = { event: 'reply:regenerate', messageId };
  const again: NewReply = {
    userId,
    clientId: request.clientRequestId.toLowerCase(),
    bodyHash: deps.digest(JSON.stringify(body)),
    siblingOf: messageId,
    companionMessageId: deps.ids.messageId(),
    generationId: deps.ids.generationId(),
    at: deps.clock.now(),
  };
  const { clientId, bodyHash } = again;
  return takeTurn<Regenerated>(deps, {
    userId,
    clientId,
    bodyHash,
    work: async () => toRegenerated(deps, again, await deps.store.appendReply(again)),
    repeat: ({ message: companion, generationId }) => ({ kind: 'duplicate', companion, generationId }),
  });
}

async function toRegenerated(deps: TurnDeps, again: NewReply, appended: AppendedReply): Promise<Regenerated> {
  if (appended.kind === 'duplicate') return appended;
  if (appended.kind !== 'created') return notAppended(appended);
  const { user, companion, olderSiblings } = appended;
  const { conversationId } = companion;
  const { userId, generationId, siblingOf } = again;
  await stopBelow(deps, { conversationId, messageId: siblingOf });
  const turn = {
    generationId,
    conversationId,
    userId,
    replyTo: user.messageId,
    parentId: user.parentId,
    companion,
  };
  return { kind: 'created', companion, generationId, reply: deps.replies.begin(turn), olderSiblings };
}
