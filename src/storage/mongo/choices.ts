import type { Message } from '../../conversation/message.ts';
import type { ConversationStore } from '../../conversation/stores.ts';
import type { Planned } from './changes.ts';
import type { Context } from './context.ts';
import type { CandidateFields, ConversationDocument, MessageDocument } from './documents.ts';
import { findable } from './search-terms.ts';
import { toOneMessage } from './to-messages.ts';

type Choice = Parameters<ConversationStore['chooseCandidate']>[0];

export function choiceMethods(context: Context): Pick<ConversationStore, 'chooseCandidate'> {
  return {
    async chooseCandidate(choice) {
      const message = await context.reads.find({ _id: choice.messageId, userId: choice.userId });
      if (message === null) return null;
      return await context.changes.change(
        message.conversationId,
        async () => null,
        (conversation) => planChoice(context, conversation, choice),
      );
    },
  };
}

async function planChoice(
  { models, reads }: Context,
  conversation: ConversationDocument,
  { userId, messageId, candidateId, at }: Choice,
): Promise<Planned<Message | 'unsupported' | null>> {
  const message = await reads.find({ _id: messageId, userId });
  if (message?.generation === undefined || message.generationId === undefined) return { unchanged: null };
  const { conversationId, generation, generationId, shownCandidateId } = message;
  if (shownCandidateId === candidateId) return { unchanged: await toOneMessage(models, message) };
  if (generation.endedAt === null) return { unchanged: 'unsupported' };
  const candidate = generation.candidates.find((one) => one.candidateId === candidateId);
  if (candidate === undefined) return { unchanged: null };
  const { text, finishReason } = candidate;
  if (!canBeShown(candidate)) return { unchanged: 'unsupported' };
  const rev = conversation.rev + 1;
  const shown = {
    ...({ status: 'done', reaction: null } as const),
    ...{ text, shownCandidateId: candidateId },
    finishReason: finishReason === 'stop' ? 'stop' : 'length',
  } satisfies Partial<MessageDocument>;
  const found = findable({ ...message, text });
  return {
    change: {
      fields: { rev, updatedAt: Math.max(conversation.updatedAt, at) },
      updates: [
        {
          ...{ seq: message.seq, was: message.rev, rev, set: Object.entries({ ...shown, ...found }) },
          unset: found.terms === undefined ? ['terms', 'place'] : [],
        },
      ],
      preference: {
        _id: `${messageId}:${rev}`,
        ...{ userId, conversationId, messageId, generationId, at },
        ...{ previousCandidateId: shownCandidateId, chosenCandidateId: candidateId },
      },
      answer: () => toOneMessage(models, { ...message, ...shown, rev }),
    },
  };
}

/** An empty one is no answer, whatever it ended with. */
function canBeShown({ text, finishReason, filterReason }: CandidateFields): boolean {
  return text !== '' && filterReason === null && (finishReason === 'stop' || finishReason === 'length');
}
