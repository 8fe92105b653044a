/** A message comes in. */
import { type Sent, storeMessage } from './store-message.ts';
import type { TurnDeps } from './take-turn.ts';

export interface SendRequest {
  readonly userId: string;
  readonly clientMessageId: string;
  /** undefined = the user's default conversation. */
  readonly conversationId: string | undefined;
  readonly text: string;
  readonly parentId: string | null | undefined;
}

/**
 * A repeat of an earlier request gets the first answer, also when nothing new is taken.
 *
 * @throws CodedError `overloaded`, `model_unavailable`, `shutting_down`, `conflict`, `unsupported`, `not_found` or
 * `store_unavailable`; nothing is stored then.
 */
export async function sendMessage(deps: TurnDeps, request: SendRequest): Promise<Sent> {
  const { userId, clientMessageId, parentId } = request;
  const conversationId =
    request.conversationId ?? (await openDefaultConversation(deps, userId)).conversationId;
  const text = request.text.normalize('NFC');
  const body = { event: 'message:send', conversationId, parentId, text };
  return storeMessage(deps, { userId, clientMessageId, conversationId, text, place: { parentId }, body });
}

/** The conversation that a user has without asking for one; made at first use. */
export function openDefaultConversation(deps: Pick<TurnDeps, 'store' | 'ids' | 'clock'>, userId: string) {
  return deps.store.defaultConversation({
    userId,
    newConversationId: deps.ids.conversationId(),
    at: deps.clock.now(),
  });
}
