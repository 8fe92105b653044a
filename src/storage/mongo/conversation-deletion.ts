import type { ConversationListStore } from '../../conversation/stores.ts';
import { removeBelongings } from './belongings.ts';
import type { Context } from './context.ts';
import { keepTurns } from './daily-turns.ts';
import type { ConversationDocument } from './documents.ts';
import type { Models } from './models.ts';
import { onceMore } from './once-more.ts';

export function conversationDeletionMethods({
  models,
  changes,
}: Context): Pick<ConversationListStore, 'deleteConversation'> {
  return {
    async deleteConversation(userId, conversationId) {
      const isDeleted = await changes.change(
        conversationId,
        async () => null,
        async (conversation) => {
          if (conversation.userId !== userId) return { unchanged: false };
          return {
            change: {
              fields: { deleted: true },
              answer: async () => {
                await removeConversation(models, conversation);
                return true;
              },
            },
          };
        },
      );
      return isDeleted ?? false;
    },
  };
}

/** All that belonged to a conversation, which itself goes last: until then it is known what is left to remove. */
export async function removeConversation(models: Models, conversation: ConversationDocument): Promise<void> {
  const { _id: conversationId } = conversation;
  await Promise.all([
    keepTurns(models, conversation),
    onceMore(() => removeBelongings(models, conversationId)),
  ]);
  await models.conversations.deleteOne({ _id: conversationId });
}

/** Finishes what a crash has broken off. */
export async function removeDeleted(models: Models): Promise<void> {
  const left = await models.conversations.find({ deleted: true }).lean<ConversationDocument[]>();
  for (const conversation of left) await removeConversation(models, conversation);
}
