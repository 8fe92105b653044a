/** A message comes in. */
import { CodedError } from '../std/coded-error.ts';
import { type Sent, storeMessage } from './store-message.ts';
import type { TurnDeps } from './take-turn.ts';

export interface SendRequest {
  readonly userId: string;
  readonly clientMessageId: string;
  /** undefined = the user's default conversation. */
  readonly conversationId: string | undefined;
  /** The default conversation, if it is known, so that it need not be looked up; should it be gone, it is. */
  readonly defaultConversationId?: string | null;
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
  const { userId, conversationId, defaultConversationId } = request;
  if (conversationId !== undefined) return sendTo(deps, conversationId, request);
  if (defaultConversationId) {
    const sent = await sendTo(deps, defaultConversationId, request).catch(nullWhenMissing);
    if (sent !== null) return sent;
  }
  return sendTo(deps, (await openDefaultConversation(deps, userId)).conversationId, request);
}

function sendTo(deps: TurnDeps, conversationId: string, request: SendRequest): Promise<Sent> {
  const { userId, clientMessageId, parentId } = request;
  const text = request.text.normalize('NFC');
  const body = { event: 'message:send', conversationId, parentId, text };
  return storeMessage(deps, { userId, clientMessageId, conversationId, text, place: { parentId }, body });
}

function nullWhenMissing(error: unknown): null {
  if (error instanceof CodedError && error.code === 'not_found') return null;
  throw error;
}

/** The conversation that a user has without asking for one; made at first use. */
export function openDefaultConversation(deps: Pick<TurnDeps, 'store' | 'ids' | 'clock'>, userId: string) {
  return deps.store.defaultConversation({
    userId,
    newConversationId: deps.ids.conversationId(),
    at: deps.clock.now(),
  });
}
