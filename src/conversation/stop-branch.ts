import type { Message } from './message.ts';
import type { Replies } from './replies.ts';
import type { Reply, Turn } from './reply.ts';
import type { ConversationStore } from './stores.ts';

interface StopDeps {
  readonly store: Pick<ConversationStore, 'branchPage'>;
  readonly replies: Replies;
}

/**
 * Stops the replies that are being written on the branches through a message, itself or below it: the person has turned to
 * another version of it, which must be in line already, so that none of the two is waited for in vain.
 *
 * Never throws: that other version is stored and will be answered. A reply of which the store cannot tell where it stands runs
 * to its end.
 *
 * @returns those that it stopped.
 */
export async function stopBranch({ store, replies }: StopDeps, message: Message): Promise<readonly Reply[]> {
  const stopped: Reply[] = [];
  for (const reply of replies.active(message.conversationId)) {
    if (!(await leadsThrough(store, reply.turn, message).catch(() => false))) continue;
    replies.cancel(reply.turn.generationId);
    stopped.push(reply);
  }
  return stopped;
}

async function leadsThrough(store: StopDeps['store'], turn: Turn, message: Message): Promise<boolean> {
  const { messageId, seq } = message;
  const { companion, user, conversationId } = turn;
  const { parentId } = user;
  if ([companion.messageId, user.messageId, parentId].includes(messageId)) return true;
  if (parentId === null) return false;
  // `seq` grows along a branch: if the message is on it, it is the newest one up to its own `seq`.
  const upToMessage = { conversationId, leafId: parentId, beforeSeq: seq + 1, limit: 1 };
  const { messages } = await store.branchPage(upToMessage);
  return messages[0]?.messageId === messageId;
}
