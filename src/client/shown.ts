/** What can be read off a snapshot. */
import { hasId, isUnfinished } from './messages.ts';
import type { ConversationState, RunningReply } from './state.ts';

function isShown({ branch }: ConversationState, { messageId, replyTo, generationId }: RunningReply): boolean {
  if (messageId !== null) return branch.some(hasId(messageId));
  const askedAt = branch.findIndex(hasId(replyTo));
  const next = branch[askedAt + 1];
  if (askedAt < 0) return false;
  return next === undefined || next.role === 'user' || next.generationId === generationId;
}

/** The running replies of the branch that is shown; the others go on unseen. */
export function shownReplies(state: ConversationState): readonly RunningReply[] {
  return Object.values(state.replies).filter((reply) => isShown(state, reply));
}

/** A reply that is to be written anew has been asked for, and the server has not answered yet. */
function isRegenerating({ outgoing }: ConversationState): boolean {
  return outgoing.some(({ kind, delivery }) => kind === 'regenerate' && delivery === 'sending');
}

/** The companion is at it and nothing of the reply can be read yet. */
export function isCompanionWriting(state: ConversationState): boolean {
  const isLive = state.messages.some((message) => isUnfinished(message) && message.text !== '');
  if (isLive) return false;
  // `typing` tells of the whole conversation: of a reply that runs on another branch nothing will come here.
  const isUnseenOnly = Object.keys(state.replies).length > 0 && shownReplies(state).length === 0;
  return isRegenerating(state) || shownReplies(state).length > 0 || (state.companionTyping && !isUnseenOnly);
}
