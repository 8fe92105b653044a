import type { Message, Reaction } from '../../conversation/message.ts';
import type { ReactionStore } from '../../reactions/stores.ts';
import type { Planned } from './changes.ts';
import type { Context } from './context.ts';
import type { ConversationDocument, MessageDocument } from './documents.ts';
import { toOneMessage } from './to-messages.ts';

interface Target {
  readonly userId: string;
  readonly messageId: string;
}

export function reactionMethods(context: Context): ReactionStore {
  const react = async <T>(target: Target, plan: ReactionPlan<T>): Promise<T | null> => {
    const message = await find(context, target);
    if (message === null) return null;
    return await context.changes.change(
      message.conversationId,
      async () => null,
      async (conversation) => {
        const now = await find(context, target);
        return now === null ? { unchanged: null } : plan(conversation, now);
      },
    );
  };
  return {
    setReaction: ({ userId, messageId, kind, comment, at }) =>
      react<Message | 'unsupported'>({ userId, messageId }, async (conversation, message) => {
        if (message.role === 'user' || message.text === '') return { unchanged: 'unsupported' };
        const { reaction } = message;
        if (reaction?.kind === kind && reaction.comment === comment)
          return { unchanged: await toOneMessage(context.models, message) };
        return withReaction(context, { conversation, message }, { kind, comment, at });
      }),
    clearReaction: ({ userId, messageId }) =>
      react<Message>({ userId, messageId }, async (conversation, message) =>
        message.reaction === null
          ? { unchanged: await toOneMessage(context.models, message) }
          : withReaction(context, { conversation, message }, null),
      ),
  };
}

type ReactionPlan<T> = (
  conversation: ConversationDocument,
  message: MessageDocument,
) => Promise<Planned<T | null>>;

const find = ({ reads }: Context, { userId, messageId }: Target) => reads.find({ _id: messageId, userId });

function withReaction(
  context: Context,
  { conversation, message }: { conversation: ConversationDocument; message: MessageDocument },
  reaction: Reaction | null,
): Planned<Message> {
  const rev = conversation.rev + 1;
  return {
    change: {
      fields: { rev },
      updates: [{ seq: message.seq, was: message.rev, rev, set: [['reaction', reaction]], unset: [] }],
      answer: () => toOneMessage(context.models, { ...message, reaction, rev }),
    },
  };
}
