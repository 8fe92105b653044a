import type { Conversation } from '../../conversation/message.ts';
import { CodedError } from '../../std/coded-error.ts';
import type { Store } from '../store.ts';
import type { Context } from './context.ts';
import type { ConversationDocument } from './documents.ts';
import { insertOnce } from './insert-once.ts';
import { previewsOf } from './previews.ts';
import { toOneMessage } from './to-messages.ts';

export function conversationMethods(context: Context) {
  const { models, changes, reads, branches } = context;
  const findDefault = async (userId: string): Promise<Conversation | null> => {
    const found = await models.conversations
      .findOne({ userId, isDefault: true, deleted: { $ne: true } }, { _id: 1 })
      .lean();
    const conversation = found === null ? null : await changes.find(userId, found._id);
    return conversation === null ? null : toConversation(context, conversation);
  };
  return {
    async defaultConversation({ userId, newConversationId, at }) {
      // The embedded store cannot keep such an id, and what is in one store can go into the other.
      if (userId.includes('\u0000')) throw new CodedError('invalid_payload', 'A user id cannot hold U+0000.');
      const existing = await findDefault(userId);
      if (existing !== null) return existing;
      const made = newConversation({ userId, conversationId: newConversationId, isDefault: true, at });
      if (await insertOnce(models.conversations, [made], { userId })) return toConversation(context, made);
      const others = await findDefault(userId);
      if (others === null) throw new Error(`Another conversation has the id ${newConversationId}.`);
      return others;
    },
    async conversation(userId, conversationId) {
      const conversation = await changes.find(userId, conversationId);
      return conversation === null ? null : toConversation(context, conversation);
    },
    async message(userId, messageId) {
      const message = await reads.find({ _id: messageId, userId });
      return message === null ? null : toOneMessage(models, message);
    },
    branchPage: branches.branchPage,
    changedAfter: branches.changedAfter,
  } satisfies Partial<Store>;
}

interface Named {
  readonly userId: string;
  readonly conversationId: string;
  readonly isDefault?: boolean;
  readonly title?: string | null;
  readonly personaId?: string | null;
  readonly at: number;
}

export function newConversation({
  userId,
  conversationId,
  isDefault = false,
  title,
  personaId,
  at,
}: Named): ConversationDocument {
  return {
    _id: conversationId,
    userId,
    isDefault,
    title: title ?? null,
    personaId: personaId ?? null,
    lastSeq: 0,
    lastReadSeq: 0,
    rev: 0,
    selectedLeafId: null,
    openLine: null,
    createdAt: at,
    updatedAt: at,
    turnsDay: null,
    turnsToday: 0,
    version: 0,
    pending: null,
  };
}

export async function toConversation(
  { models }: Pick<Context, 'models'>,
  document: ConversationDocument,
): Promise<Conversation> {
  const [conversation] = await toConversations({ models }, [document]);
  if (conversation === undefined) throw new Error('One document has given no conversation.');
  return conversation;
}

export async function toConversations(
  { models }: Pick<Context, 'models'>,
  documents: readonly ConversationDocument[],
): Promise<Conversation[]> {
  const previews = await previewsOf(
    models,
    documents.flatMap(({ selectedLeafId }) => selectedLeafId ?? []),
  );
  return documents.map((document) => ({
    conversationId: document._id,
    userId: document.userId,
    title: document.title,
    personaId: document.personaId,
    lastSeq: document.lastSeq,
    lastReadSeq: document.lastReadSeq,
    rev: document.rev,
    selectedLeafId: document.selectedLeafId,
    createdAt: document.createdAt,
    updatedAt: document.updatedAt,
    preview: document.selectedLeafId === null ? null : (previews.get(document.selectedLeafId) ?? null),
  }));
}
