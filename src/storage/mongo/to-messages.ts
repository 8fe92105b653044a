import type { Message, Role, Siblings } from '../../conversation/message.ts';
import { siblingPlace } from '../sibling-place.ts';
import type { MessageDocument } from './documents.ts';
import { isThere } from './filters.ts';
import type { Models } from './models.ts';

export type Sibling = Pick<MessageDocument, '_id' | 'parentId' | 'role'>;

/** Messages with their places among their versions, which are looked up. All of one conversation. */
export async function toMessages(models: Models, documents: readonly MessageDocument[]): Promise<Message[]> {
  const [first] = documents;
  if (first === undefined) return [];
  const parents = new Set(documents.map(({ parentId }) => parentId));
  return withSiblings(documents, await siblingsUnder(models, first.conversationId, [...parents]));
}

export async function toOneMessage(models: Models, document: MessageDocument): Promise<Message> {
  const [message] = await toMessages(models, [document]);
  if (message === undefined) throw new Error('One document has given no message.');
  return message;
}

/** By `seq`. */
export async function siblingsUnder(
  { messages }: Models,
  conversationId: string,
  parents: readonly (string | null)[],
): Promise<Sibling[]> {
  const below = await messages
    .find({ conversationId, parentId: { $in: parents } }, { parentId: 1, role: 1, deleted: 1 })
    .sort({ seq: 1 })
    .lean<(Sibling & Pick<MessageDocument, 'deleted'>)[]>();
  return below.filter(isThere);
}

/** Messages of one parent and role are versions of one another. */
export const groupOf = ({ parentId, role }: { parentId: string | null; role: Role }) =>
  `${role} ${parentId ?? ''}`;

/** @param siblings all of those that have any, by `seq`. */
export function withSiblings(documents: readonly MessageDocument[], siblings: readonly Sibling[]): Message[] {
  const groups = new Map<string, string[]>();
  for (const sibling of siblings) {
    const group = groupOf(sibling);
    groups.set(group, [...(groups.get(group) ?? []), sibling._id]);
  }
  return documents.map((document) => {
    const ids = groups.get(groupOf(document)) ?? [document._id];
    return toMessage(document, siblingPlace(ids, ids.indexOf(document._id)));
  });
}

function toMessage(document: MessageDocument, siblings: Siblings): Message {
  const { conversationId, userId } = document;
  return { ...fieldsOf(document), conversationId, userId, siblings };
}

/** What a message says of itself. */
export function fieldsOf(document: MessageDocument): Omit<Message, 'conversationId' | 'userId' | 'siblings'> {
  return {
    messageId: document._id,
    seq: document.seq,
    rev: document.rev,
    role: document.role,
    text: document.text,
    status: document.status,
    createdAt: document.createdAt,
    parentId: document.parentId,
    clientMessageId: document.clientMessageId,
    generationId: document.generationId ?? null,
    finishReason: document.finishReason,
    shownCandidateId: document.shownCandidateId,
    model: document.model,
    variant: document.variant,
    reaction: document.reaction,
  };
}
