import { treatments } from '../../records/inventory.ts';
import type { Erased, RecordStore } from '../../records/stores.ts';
import type { Context } from './context.ts';
import { removeConversation } from './conversation-deletion.ts';
import type { ConversationDocument } from './documents.ts';
import type { Models } from './models.ts';
import { onceMore } from './once-more.ts';

type Methods = Pick<RecordStore, 'eraseUser' | 'isErased' | 'erasedUsers' | 'putErased'>;

/** Taking out all that is kept of a user. */
export function erasureMethods({ models, changes }: Context): Methods {
  return {
    async eraseUser({ userId, userKey, at }) {
      if (userKey !== null) await noteErased(models, userKey, at);
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
    async erasedUsers({ after, limit }) {
      const found = await models.erasedUsers
        .find({ _id: { $gt: after ?? '' } })
        .sort({ _id: 1 })
        .limit(limit)
        .lean();
      return found.map(({ _id: userKey, at }) => ({ userKey, at }));
    },
    async putErased(userKey, at) {
      await noteErased(models, userKey, at);
    },
    async isErased(userKey) {
      return (await models.erasedUsers.exists({ _id: userKey })) !== null;
    },
  };
}

/** It expires by the server's clock. */
async function noteErased({ erasedUsers }: Models, userKey: string, at: number): Promise<void> {
  const update = { $set: { at }, $currentDate: { storedAt: true } } as const;
  await erasedUsers.updateOne({ _id: userKey }, update, { upsert: true });
}

async function countAll(models: Models, userId: string): Promise<Erased> {
  const found = await models.conversations.find({ userId, deleted: { $ne: true } }, { _id: 1 }).lean();
  const own = { conversationId: { $in: found.map(({ _id }) => _id) }, deleted: { $ne: true } };
  const [messages, generations, reactions, preferences, feedback, settings] = await Promise.all([
    models.messages.countDocuments(own),
    models.messages.countDocuments({ ...own, role: 'companion' }),
    models.messages.countDocuments({ ...own, reaction: { $ne: null } }),
    models.preferences.countDocuments({ userId }),
    models.sessionFeedback.countDocuments({ userId }),
    models.userSettings.countDocuments({ _id: userId }),
  ]);
  const conversations = found.length;
  return { conversations, messages, generations, reactions, preferences, feedback, settings };
}

/** What belongs to no conversation, or to none that there is. */
async function removeRest(models: Models, userId: string): Promise<void> {
  const byName = new Map(Object.values(models).map((model) => [model.collection.collectionName, model]));
  for (const [name, by] of treatments('collections')) {
    if (by === 'kept') continue;
    const model = byName.get(name);
    if (model === undefined) throw new Error(`The inventory names ${name}, of which there is no model.`);
    await onceMore(async () => model.deleteMany({ [by]: userId }));
  }
}
