/** Pure changes by what was deleted, here or on another device. */
import type { ServerPayload } from '../protocol/events.ts';
import type { Messages } from './messages.ts';
import { type ConversationState, initialState } from './state.ts';

/** An answer that was made before the deletion may still be on its way: what is gone is not taken in again. */
export function withoutDeleted(
  messages: Messages,
  { deletedIds }: Pick<ConversationState, 'deletedIds'>,
): Messages {
  const isGone = ({ messageId }: Messages[number]) => messageId !== null && deletedIds.has(messageId);
  return messages.some(isGone) ? messages.filter((message) => !isGone(message)) : messages;
}

export function messagesDeleted(state: ConversationState, messageIds: readonly string[]): ConversationState {
  if (messageIds.length === 0) return state;
  const deletedIds = new Set([...state.deletedIds, ...messageIds]);
  const replies = Object.entries(state.replies).filter(
    ([, { messageId }]) => messageId === null || !deletedIds.has(messageId),
  );
  const branch = withoutDeleted(state.branch, { deletedIds });
  return { ...state, deletedIds, branch, replies: Object.fromEntries(replies) };
}

/** Where it was the one that is shown, the next `conversation:open` gives a new one. */
export function conversationDeleted(
  state: ConversationState,
  { conversationId }: ServerPayload<'conversation:deleted'>,
): ConversationState {
  if (conversationId !== state.conversationId) return state;
  const { connection, userId, textBytesMax } = state;
  return { ...initialState, connection, userId, textBytesMax };
}
