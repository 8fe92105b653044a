import type { AppendedReply, NewReply } from '../../conversation/stores.ts';
import { newGeneration, newReply } from '../new-turn.ts';
import type { Requested } from './append-turn.ts';
import { type Rows, stored } from './rows.ts';
import { changeOlderVersions, refuseVersion } from './versions.ts';

/** `appendReply` for use inside `Connection.write`, for the same reason as `appendTurn`. */
export function appendReply(rows: Rows, { requests, daily }: Requested, reply: NewReply): AppendedReply {
  const { conversations, messages, generations } = rows;
  const before = requests.repeated(reply, 'companion');
  if (before !== null) return before;
  const sibling = messages.find(reply.siblingOf);
  if (sibling === null || sibling.userId !== reply.userId) return { kind: 'not_found' };
  if (sibling.role !== 'companion' || sibling.parentId === null)
    return { kind: 'unsupported', reason: 'only a message of the companion can be written anew' };
  const refused = refuseVersion(messages.countVersions(sibling));
  if (refused !== null) return refused;
  const overQuota = daily.refuse(reply.userId, reply.quota);
  if (overQuota !== null) return overQuota;

  const { userId, generationId, at, companionMessageId: messageId } = reply;
  const { conversationId, parentId: replyTo } = sibling;
  const conversation = stored(conversations.standing(userId, conversationId) ?? null);
  const seq = conversation.last_seq + 1;
  const day = reply.quota?.day ?? null;
  conversations.addMessages({ conversationId, messages: 1, leafId: messageId, at, day });
  const place = { seq, rev: conversation.rev + 1, parentId: replyTo };
  messages.insert(newReply({ messageId, conversationId, userId, ...place, generationId, at }));
  generations.insert(newGeneration({ generationId, conversationId, userId, messageId, replyTo, at }));
  const { clientId, bodyHash } = reply;
  requests.insert({
    userId,
    clientId,
    conversationId,
    bodyHash,
    messageId,
    generationId,
    seq,
    role: 'companion',
  });
  const companion = stored(messages.find(messageId));
  return {
    kind: 'created',
    user: stored(messages.find(replyTo)),
    companion,
    generation: stored(generations.find(generationId)),
    olderSiblings: changeOlderVersions(rows, companion),
  };
}
