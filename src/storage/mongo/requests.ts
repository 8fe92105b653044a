import type { Role } from '../../conversation/message.ts';
import type { AskedTurn, Duplicate, NotAppended } from '../../conversation/stores.ts';
import type { MessageDocument } from './documents.ts';
import type { Models } from './models.ts';

interface Asking {
  readonly userId: string;
  readonly clientId: string;
  readonly bodyHash: string;
}

type Asked = Pick<MessageDocument, '_id' | 'conversationId' | 'seq' | 'role' | 'request'>;

/** What a client's id stands for, also where its message has been deleted since. */
export async function findAsked(
  models: Models,
  userId: string,
  clientId: string,
): Promise<(AskedTurn & { readonly role: Role }) | null> {
  const asked = await models.messages
    .findOne(
      { 'request.userId': userId, 'request.clientId': clientId },
      { conversationId: 1, seq: 1, role: 1, request: 1 },
    )
    .lean<Asked>();
  if (asked?.request === undefined) return null;
  const { _id: messageId, conversationId, seq, role } = asked;
  const { bodyHash, generationId } = asked.request;
  return { bodyHash, messageId, conversationId, seq, generationId, role };
}

/** What a request that makes a message of `role` repeats, or why it cannot; null when its id is new. */
export async function findRepeated(
  models: Models,
  { userId, clientId, bodyHash }: Asking,
  role: Role,
): Promise<Duplicate | Extract<NotAppended, { kind: 'conflict' }> | null> {
  const asked = await findAsked(models, userId, clientId);
  if (asked === null) return null;
  const { bodyHash: before, role: made, ...answer } = asked;
  if (before === bodyHash && made === role) return { kind: 'duplicate', ...answer };
  const name = role === 'user' ? 'clientMessageId' : 'clientRequestId';
  return { kind: 'conflict', reason: `${name} was used before with another body` };
}
