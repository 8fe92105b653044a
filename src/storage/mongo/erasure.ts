import { treatments } from '../../records/inventory.ts';
import type { Erased, RecordStore } from '../../records/stores.ts';
import type { Context } from './context.ts';
import { removeConversation } from './conversation-deletion.ts';
import type { ConversationDocument } from './documents.ts';
import type { Models } from './models.ts';

/** Taking out all that is kept of a user. */
export function erasureMethods({ models, changes }: Context): Pick<RecordStore, 'eraseUser' | 'isErased'> {
  return {
    async eraseUser({ userId, userKey, at }) {
      if (userKey !== null)
        await models.erasedUsers.updateOne(
          { _id: userKey },
          { $set: { at }, $currentDate: { storedAt: true } },
          { upsert: true },
        );
      const erased = await countAll(models, userId);
      // One after another, each as if it alone were deleted: what is broken off is not seen any more, and known to have to go.
      const found = await models.conversations.find({ userId }).lean<ConversationDocument[]>();
      for (const conversation of found) {
        await changes.change(
          conversation._id,
          async () => null,
          async () => ({ change: { fields: { deleted: true }, answer: () => null } }),
        );
        await removeConversation(models, conversation);
      }
      await removeRest(models, userId);
      return erased;
    },
    async isErased(userKey) {
      return (await models.erasedUsers.exists({ _id: userKey })) !== null;
    },
  };
}

async function countAll(models: Models, userId: string): Promise<Erased> {
  const standing = { userId, deleted: { $ne: true } };
  const [conversations, messages, generations, reactions, preferences, feedback, settings] = await Promise.all([
    models.conversations.countDocuments(standing),
    models.messages.countDocuments(standing),
    models.messages.countDocuments({ ...standing, role: 'companion' }),
    models.messages.countDocuments({ ...standing, reaction: { $ne: null } }),
    models.preferences.countDocuments({ userId }),
    models.sessionFeedback.countDocuments({ userId }),
    models.userSettings.countDocuments({ _id: userId }),
  ]);
  return { conversations, messages, generations, reactions, preferences, feedback, settings };
}

/** What belongs to no conversation, or to none that there is. */
async function removeRest(models: Models, userId: string): Promise<void> {
  const byName = new Map(Object.values(models).map((model) => [model.collection.collectionName, model]));
  for (const [name, by] of treatments('collections')) {
    if (by === 'kept') continue;
    const model = byName.get(name);
    if (model === undefined) throw new Error(`The inventory names ${name}, of which there is no model.`);
    await model.deleteMany({ [by]: userId });
  }
}
