import type { Message } from '../../conversation/message.ts';
import type { GenerationEnd, GenerationStore } from '../../conversation/stores.ts';
import type { RaceRecord } from '../../engine/request.ts';
import type { Connection } from './connection.ts';
import { preparePromptTraces } from './prompt-traces.ts';
import { type Rows, stored } from './rows.ts';
import { toStoredText } from './stored-text.ts';

type Start = Parameters<GenerationStore['startGeneration']>[0];

/** Start, end and trace of a generation; to be called inside a transaction. */
export function prepareGenerationLife(
  connection: Connection,
  { conversations, messages, generations }: Rows,
) {
  const start = connection.prepare(
    `UPDATE generations SET status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, :at),
       model = :model, template = :template, seed = :seed, variant = :variant
     WHERE generation_id = :generationId AND ended_at IS NULL`,
  );
  const startMessage = connection.prepare(
    `UPDATE messages SET status = 'running', model = :model, variant = :variant, rev = :rev
     WHERE message_id = :messageId`,
  );
  const end = connection.prepare(
    `UPDATE generations SET status = :status, finish_reason = :finishReason, text = :text, ended_at = :at,
       shown_candidate_id = :shownCandidateId, race = :race, level = :level, candidates = :candidates,
       propensity = :propensity
     WHERE generation_id = :generationId`,
  );
  const endMessage = connection.prepare(
    `UPDATE messages SET status = :status, finish_reason = :finishReason, text = :text,
       shown_candidate_id = :shownCandidateId, rev = :rev
     WHERE message_id = :messageId`,
  );
  const traces = preparePromptTraces(connection);

  return {
    /** A later start keeps the time of the first: that is how long the user has waited. */
    start({ generationId, setup, trace, at }: Start): boolean {
      const { model, template, seed, variant } = setup;
      if (start.run({ generationId, at, model, template, seed, variant }) === 0) return false;
      const generation = stored(generations.find(generationId));
      const rev = conversations.nextRev(generation.conversationId);
      startMessage.run({ messageId: generation.messageId, model, variant, rev });
      traces.put(generationId, trace, at);
      return true;
    },

    end(ending: GenerationEnd): Message | null {
      const generation = generations.find(ending.generationId);
      if (generation === null) return null;
      if (generation.endedAt !== null) return messages.find(generation.messageId);
      const { generationId, status, finishReason, shownCandidateId, at } = ending;
      const text = toStoredText(ending.text);
      end.run({ generationId, status, finishReason, text, shownCandidateId, at, ...toColumns(ending.race) });
      for (const candidate of ending.candidates) generations.candidates.insert(generationId, candidate);
      generations.log.remove(generationId);
      const rev = conversations.nextRev(generation.conversationId);
      const { messageId } = generation;
      endMessage.run({ messageId, status, finishReason, text, shownCandidateId, rev });
      conversations.touch(generation.conversationId, at);
      return messages.find(messageId);
    },

    trace: (generationId: string, now: number) => traces.find(generationId, now)?.trace ?? null,
  };
}

/** The whole record, and beside it what is asked of all generations together. */
export function toColumns(race: RaceRecord | null) {
  return {
    race: race === null ? null : JSON.stringify(race),
    level: race?.level ?? null,
    candidates: race?.candidates ?? null,
    propensity: race?.commit?.propensity ?? null,
  };
}
