import type { Message, StoredCandidate } from '../../conversation/message.ts';
import type { ConversationStore } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import { type Rows, stored } from './rows.ts';
import { toStoredText } from './stored-text.ts';

type Choice = Parameters<ConversationStore['chooseCandidate']>[0];

/** What a user would rather read; to be called inside a transaction. */
export function prepareChoices(connection: Connection, { conversations, messages, generations }: Rows) {
  const show = connection.prepare(
    `UPDATE messages SET text = :text, status = 'done', finish_reason = :finishReason,
       shown_candidate_id = :candidateId, rev = :rev
     WHERE message_id = :messageId`,
  );
  const takeReactionBack = connection.prepare('DELETE FROM reactions WHERE message_id = ?');
  const insertPreference = connection.prepare(
    `INSERT INTO preferences (user_id, message_id, generation_id, previous_candidate_id, chosen_candidate_id, at)
     VALUES (:userId, :messageId, :generationId, :previous, :candidateId, :at)`,
  );

  function choose(choice: Choice): Message | 'unsupported' | null {
    const { userId, messageId, candidateId, at } = choice;
    const message = messages.find(messageId);
    if (message === null || message.userId !== userId || message.generationId === null) return null;
    const { conversationId, generationId, shownCandidateId: previous } = message;
    if (previous === candidateId) return message;
    const generation = stored(generations.find(generationId));
    if (generation.endedAt === null) return 'unsupported';
    const candidate = generation.candidates.find((one) => one.candidateId === candidateId);
    if (candidate === undefined) return null;
    if (!canBeShown(candidate)) return 'unsupported';
    const { finishReason } = candidate;
    const text = toStoredText(candidate.text);
    const rev = conversations.nextRev(conversationId);
    show.run({ messageId, candidateId, text, finishReason, rev });
    takeReactionBack.run([messageId]);
    insertPreference.run({ userId, messageId, generationId, previous, candidateId, at });
    conversations.touch(conversationId, at);
    return stored(messages.find(messageId));
  }

  return { choose };
}

/** An empty one is no answer, whatever it ended with. */
function canBeShown({ text, finishReason, filterReason }: StoredCandidate): boolean {
  return text !== '' && filterReason === null && (finishReason === 'stop' || finishReason === 'length');
}
