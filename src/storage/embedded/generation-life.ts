import type { Message, PromptTrace } from '../../conversation/message.ts';
import type { GenerationEnd, GenerationStore } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import type { Rows } from './rows.ts';
import { toStoredText } from './stored-text.ts';

const traceLifeMs = 7 * 24 * 60 * 60 * 1000;
/** Expired traces deleted with each new one: more than one, so that they always become fewer. */
const tracesPurgedMax = 8;

type Start = Parameters<GenerationStore['startGeneration']>[0];

/** Start, end and trace of a generation; to be called inside a transaction. */
export function prepareGenerationLife(
  connection: Connection,
  { conversations, messages, generations }: Rows,
) {
  const start = connection.prepare(
    `UPDATE generations SET status = 'running', started_at = :at, model = :model, template = :template,
       level = :level, candidates = :candidates, seed = :seed, variant = :variant
     WHERE generation_id = :generationId AND status = 'queued'`,
  );
  const startMessage = connection.prepare(
    `UPDATE messages SET status = 'running', model = :model, variant = :variant, rev = :rev
     WHERE message_id = :messageId`,
  );
  const end = connection.prepare(
    `UPDATE generations SET status = :status, finish_reason = :finishReason, text = :text, ended_at = :at,
       shown_candidate_id = :shownCandidateId, propensity = :propensity
     WHERE generation_id = :generationId`,
  );
  const endMessage = connection.prepare(
    `UPDATE messages SET status = :status, finish_reason = :finishReason, text = :text, rev = :rev
     WHERE message_id = :messageId`,
  );
  const insertTrace = connection.prepare(
    'INSERT INTO prompt_traces (generation_id, created_at, trace) VALUES (?, ?, ?)',
  );
  const purgeTraces = connection.prepare(
    `DELETE FROM prompt_traces WHERE rowid IN
       (SELECT rowid FROM prompt_traces WHERE created_at <= ? ORDER BY created_at LIMIT ${tracesPurgedMax})`,
  );
  const traceById = connection.prepare<{ trace: string; created_at: number }>(
    'SELECT trace, created_at FROM prompt_traces WHERE generation_id = ?',
  );

  return {
    start({ generationId, setup, trace, at }: Start): boolean {
      const { model, template, level, candidates, seed, variant } = setup;
      if (start.run({ generationId, at, model, template, level, candidates, seed, variant }) === 0)
        return false;
      const generation = generations.find(generationId);
      if (generation === null) throw new Error('A started generation is gone within its transaction.');
      const rev = conversations.nextRev(generation.conversationId);
      startMessage.run({ messageId: generation.messageId, model, variant, rev });
      purgeTraces.run([at - traceLifeMs]);
      insertTrace.run([generationId, at, JSON.stringify(trace)]);
      return true;
    },

    end(ending: GenerationEnd): Message | null {
      const generation = generations.find(ending.generationId);
      if (generation === null) return null;
      if (generation.endedAt !== null) return messages.find(generation.messageId);
      const { generationId, status, finishReason, shownCandidateId, propensity, at } = ending;
      const text = toStoredText(ending.text);
      end.run({ generationId, status, finishReason, text, shownCandidateId, propensity, at });
      for (const candidate of ending.candidates) generations.insertCandidate(generationId, candidate);
      const rev = conversations.nextRev(generation.conversationId);
      endMessage.run({ messageId: generation.messageId, status, finishReason, text, rev });
      conversations.touch(generation.conversationId, at);
      return messages.find(generation.messageId);
    },

    trace(generationId: string, now: number): PromptTrace | null {
      const row = traceById.first([generationId]);
      if (row === undefined || row.created_at <= now - traceLifeMs) return null;
      // Written by `start` from a value of this type.
      return JSON.parse(row.trace) as PromptTrace;
    },
  };
}
