import type { Claimed, ConversationListStore } from '../../conversation/stores.ts';
import type { Context } from './context.ts';
import type { Claim } from './documents.ts';
import { onceMore } from './once-more.ts';

/** Handing over what one user has to another: conversation by conversation, so that one that breaks off can be asked for again. */
export function claimMethods(context: Context): Pick<ConversationListStore, 'claimUser'> {
  const { models } = context;
  return {
    async claimUser({ from, to }): Promise<Claimed> {
      const existing = { userId: from, deleted: { $ne: true } };
      const found = await models.conversations.find(existing, { _id: 1 }).lean();
      const ids = found.map(({ _id }) => _id);
      const messages = await models.messages.countDocuments({
        conversationId: { $in: ids },
        deleted: { $ne: true },
      });
      const claimed = { conversations: found.length, messages };
      if (from === to) return claimed;
      for (const { _id } of found) await claimConversation(context, _id, { from, to });
      await onceMore(async () => models.dailyTurns.updateMany({ userId: from }, { $set: { userId: to } }));
      await claimSettings(context, { from, to });
      return claimed;
    },
  };
}

async function claimConversation(
  { models, changes }: Context,
  conversationId: string,
  { from, to }: Claim,
): Promise<void> {
  await changes.change(
    conversationId,
    async () => null,
    async (conversation) => {
      if (conversation.userId !== from) return { unchanged: null };
      // The account may have a default conversation; then that one stays it.
      const hasDefault = (await models.conversations.exists({ userId: to, isDefault: true })) !== null;
      const isDefault = conversation.isDefault && !hasDefault;
      return { change: { fields: { userId: to, isDefault }, claim: { from, to }, answer: () => null } };
    },
  );
}

/** Those of the account stand. */
async function claimSettings({ models }: Context, { from, to }: Claim): Promise<void> {
  const settings = await models.userSettings.findById(from).lean();
  if (settings === null) return;
  const { _id: _, ...fields } = settings;
  await models.userSettings.updateOne({ _id: to }, { $setOnInsert: fields }, { upsert: true });
  await models.userSettings.deleteOne({ _id: from });
}
