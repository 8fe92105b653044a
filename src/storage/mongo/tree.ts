import type { Conversation } from '../../conversation/message.ts';
import type { ConversationListStore, ConversationStore, DeletedMessages } from '../../conversation/stores.ts';
import type { Planned } from './changes.ts';
import type { Context } from './context.ts';
import { toConversation } from './conversations.ts';
import type { ConversationDocument, MessageUpdate } from './documents.ts';
import { below, branchTo, isOn, type Stretch } from './lines.ts';
import { toMessages } from './to-messages.ts';

type Deletion = Parameters<ConversationListStore['deleteMessage']>[0];
type Select = Parameters<ConversationStore['selectBranch']>[0];

type Methods = Pick<ConversationListStore, 'deleteMessage' | 'deletedAfter'> &
  Pick<ConversationStore, 'selectBranch'>;

/** What goes along the tree of a conversation, down from a message. */
export function treeMethods(context: Context): Methods {
  const { changes, reads, branches } = context;
  return {
    async deleteMessage(deletion) {
      const message = await reads.find({ _id: deletion.messageId, userId: deletion.userId });
      if (message === null) return null;
      return await changes.change(
        message.conversationId,
        async () => null,
        (conversation) => planDeletion(context, conversation, deletion),
      );
    },
    deletedAfter: branches.deletedAfter,
    async selectBranch(select) {
      const message = await reads.find({ _id: select.messageId, userId: select.userId });
      if (message === null) return null;
      return await changes.change(
        message.conversationId,
        async () => null,
        (conversation) => planSelection(context, conversation, select),
      );
    },
  };
}

async function planDeletion(
  context: Context,
  conversation: ConversationDocument,
  { userId, messageId, at }: Deletion,
): Promise<Planned<DeletedMessages | null>> {
  const { models, reads, branches } = context;
  const { _id: conversationId, lastSeq, selectedLeafId } = conversation;
  const message = await reads.find({ _id: messageId, userId });
  if (message === null) return { unchanged: null };
  const stretches = below(await branches.forks(conversationId), message).map(
    (stretch): Stretch => ({ ...stretch, to: Math.min(stretch.to, lastSeq) }),
  );
  const [messageIds, versions] = await Promise.all([
    reads.idsIn(conversationId, stretches),
    reads.versions(message),
  ]);
  const isShown = selectedLeafId !== null && messageIds.includes(selectedLeafId);
  const leafId = isShown ? await newestLeaf(context, conversationId, { message, stretches }) : selectedLeafId;
  const selected = isShown ? { selectedLeafId: leafId, openLine: null } : {};
  // As the embedded store counts: one for the selection, one for the deletion, one for each version that is left.
  const rev = conversation.rev + (isShown ? 2 : 1);
  const left = versions.filter(({ _id }) => _id !== messageId);
  const updates = left.map(
    ({ seq, rev: was }, index): MessageUpdate => ({
      ...{ seq, was, rev: rev + 1 + index, set: [], unset: [] },
    }),
  );
  const fields = {
    ...{ rev: rev + left.length, updatedAt: Math.max(conversation.updatedAt, at), ...selected },
  };
  return {
    change: {
      ...{ fields, updates, removal: { rev, stretches } },
      answer: async () => {
        const [now, siblings] = await Promise.all([
          toConversation(context, { ...conversation, ...fields }),
          reads.versions(message).then((versions) => toMessages(models, versions)),
        ]);
        return { conversation: now, messageIds, siblings };
      },
    },
  };
}

/** Where the selected branch is gone with a message: the newest through its parent; from the root the newest of all. */
async function newestLeaf(
  { reads, branches }: Context,
  conversationId: string,
  gone: {
    readonly message: { readonly parentId: string | null; readonly userId: string };
    readonly stretches: readonly Stretch[];
  },
): Promise<string | null> {
  const { parentId, userId } = gone.message;
  const parent = parentId === null ? null : await reads.find({ _id: parentId, userId });
  const within = parent === null ? null : below(await branches.forks(conversationId), parent);
  return await reads.newestIn(conversationId, { within, without: gone.stretches });
}

async function planSelection(
  context: Context,
  conversation: ConversationDocument,
  { userId, messageId, at }: Select,
): Promise<Planned<Conversation | null>> {
  const { reads, branches } = context;
  const { _id: conversationId, selectedLeafId } = conversation;
  const [message, leaf, forks] = await Promise.all([
    reads.find({ _id: messageId, userId }),
    selectedLeafId === null ? null : reads.find({ _id: selectedLeafId, userId }),
    branches.forks(conversationId),
  ]);
  if (message === null) return { unchanged: null };
  if (leaf !== null && isOn(branchTo(forks, leaf), message))
    return { unchanged: await toConversation(context, conversation) };
  const newest = await reads.newestIn(conversationId, { within: below(forks, message), without: [] });
  const fields = {
    ...{ selectedLeafId: newest, openLine: null, rev: conversation.rev + 1 },
    updatedAt: Math.max(conversation.updatedAt, at),
  };
  return { change: { fields, answer: () => toConversation(context, { ...conversation, ...fields }) } };
}
