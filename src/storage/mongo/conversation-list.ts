import { type ConversationListStore, conversationsMax } from '../../conversation/stores.ts';
import type { Context } from './context.ts';
import { newConversation, toConversation, toConversations } from './conversations.ts';
import type { ConversationDocument } from './documents.ts';
import { existing } from './filters.ts';
import { insertOnce } from './insert-once.ts';

type Methods = Pick<
  ConversationListStore,
  'listConversations' | 'createConversation' | 'renameConversation' | 'markRead'
>;

export function conversationListMethods(context: Context): Methods {
  const { models, changes } = context;
  const { conversations } = models;
  return {
    async listConversations({ userId, after, limit }) {
      const older =
        after === null
          ? {}
          : {
              $or: [
                { updatedAt: { $lt: after.updatedAt } },
                { updatedAt: after.updatedAt, _id: { $lt: after.conversationId } },
              ],
            };
      const found = await conversations
        .find({ userId, ...older, ...existing })
        .sort({ updatedAt: -1, _id: -1 })
        .limit(limit + 1)
        .lean<ConversationDocument[]>();
      const page = await Promise.all(
        found.slice(0, limit).map((one) => (one.pending === null ? one : changes.find(userId, one._id))),
      );
      return {
        conversations: await toConversations(
          context,
          page.filter((one) => one !== null),
        ),
        hasMore: found.length > limit,
      };
    },
    async createConversation({ userId, conversationId, title, personaId, at }) {
      if ((await conversations.countDocuments({ userId, ...existing })) >= conversationsMax)
        return 'unsupported';
      const made = newConversation({ userId, conversationId, title, personaId, at });
      if (!(await insertOnce(conversations, [made], { userId })))
        throw new Error(`There is a conversation ${conversationId} already.`);
      return await toConversation(context, made);
    },
    renameConversation: ({ userId, conversationId, title, at }) =>
      changes.change(
        conversationId,
        async () => null,
        async (conversation) => {
          if (conversation.userId !== userId) return { unchanged: null };
          if (conversation.title === title) return { unchanged: await toConversation(context, conversation) };
          const updatedAt = Math.max(conversation.updatedAt, at);
          const fields = { title, rev: conversation.rev + 1, updatedAt };
          return {
            change: { fields, answer: () => toConversation(context, { ...conversation, ...fields }) },
          };
        },
      ),
    markRead: ({ userId, conversationId, seq }) =>
      changes.change(
        conversationId,
        async () => null,
        async (conversation) => {
          if (conversation.userId !== userId) return { unchanged: null };
          const lastReadSeq = Math.min(seq, conversation.lastSeq);
          if (lastReadSeq <= conversation.lastReadSeq)
            return { unchanged: await toConversation(context, conversation) };
          const fields = { lastReadSeq, rev: conversation.rev + 1 };
          return {
            change: { fields, answer: () => toConversation(context, { ...conversation, ...fields }) },
          };
        },
      ),
  };
}
