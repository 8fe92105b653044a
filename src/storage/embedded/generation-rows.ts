import type {
  FinishReason,
  Generation,
  GenerationSetup,
  GenerationStatus,
  StoredCandidate,
} from '../../conversation/message.ts';
import type { CandidateEnd } from '../../engine/request.ts';
import type { Connection } from './connection.ts';
import { fromStoredText, toStoredText } from './stored-text.ts';

export interface GenerationRow {
  readonly generation_id: string;
  readonly conversation_id: string;
  readonly user_id: string;
  readonly message_id: string;
  readonly reply_to: string;
  readonly status: GenerationStatus;
  readonly finish_reason: FinishReason | null;
  readonly text: string;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly model: string | null;
  readonly template: string | null;
  readonly level: number | null;
  readonly candidates: number | null;
  readonly seed: number | null;
  readonly variant: string | null;
  readonly shown_candidate_id: string | null;
  readonly propensity: number | null;
}

interface CandidateRow {
  readonly idx: number;
  readonly candidate_id: string;
  readonly text: string;
  readonly tokens: number;
  readonly finish_reason: CandidateEnd;
  readonly log_prob: number | null;
  readonly score: number | null;
  readonly filter_reason: string | null;
}

export interface NewGeneration {
  readonly generationId: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly messageId: string;
  readonly replyTo: string;
  readonly at: number;
}

export type GenerationRows = ReturnType<typeof prepareGenerationRows>;

/** Statements that find and add generations; to be called inside a transaction. */
export function prepareGenerationRows(connection: Connection) {
  const byId = connection.prepare<GenerationRow>('SELECT * FROM generations WHERE generation_id = ?');
  const unfinishedOf = connection.prepare<GenerationRow>(
    'SELECT * FROM generations WHERE conversation_id = ? AND ended_at IS NULL ORDER BY ordinal',
  );
  const unfinished = connection.prepare<GenerationRow>(
    // Left to itself, SQLite walks all generations in the order of ordinal to save a sort of the few.
    `SELECT * FROM generations INDEXED BY generations_unfinished WHERE ended_at IS NULL ORDER BY ordinal`,
  );
  const candidates = connection.prepare<CandidateRow>(
    'SELECT * FROM candidates WHERE generation_id = ? ORDER BY idx',
  );
  const insert = connection.prepare(
    `INSERT INTO generations (generation_id, conversation_id, user_id, message_id, reply_to, status, created_at)
     VALUES (:generationId, :conversationId, :userId, :messageId, :replyTo, 'queued', :at)`,
  );
  const insertCandidate = connection.prepare(
    `INSERT INTO candidates (generation_id, idx, candidate_id, text, tokens, finish_reason, log_prob, score,
       filter_reason)
     VALUES (:generationId, :index, :candidateId, :text, :tokens, :finishReason, :logProb, :score, :filterReason)`,
  );

  const toGeneration = (row: GenerationRow): Generation => ({
    generationId: row.generation_id,
    conversationId: row.conversation_id,
    userId: row.user_id,
    messageId: row.message_id,
    replyTo: row.reply_to,
    status: row.status,
    finishReason: row.finish_reason,
    text: fromStoredText(row.text),
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    setup: toSetup(row),
    candidates: row.ended_at === null ? [] : candidates.all([row.generation_id]).map(toCandidate),
    shownCandidateId: row.shown_candidate_id,
    propensity: row.propensity,
  });

  return {
    /** Of whatever user: the caller compares `userId`. */
    find(generationId: string): Generation | null {
      const row = byId.first([generationId]);
      return row === undefined ? null : toGeneration(row);
    },
    unfinishedOf: (conversationId: string) => unfinishedOf.all([conversationId]).map(toGeneration),
    unfinished: () => unfinished.all([]).map(toGeneration),
    insert: (generation: NewGeneration) => insert.run({ ...generation }),

    insertCandidate(generationId: string, candidate: StoredCandidate): void {
      const { text, filterReason } = candidate;
      insertCandidate.run({
        generationId,
        index: candidate.index,
        candidateId: candidate.candidateId,
        text: toStoredText(text),
        tokens: candidate.tokens,
        finishReason: candidate.finishReason,
        logProb: candidate.logProb,
        score: candidate.score,
        filterReason: filterReason === null ? null : toStoredText(filterReason),
      });
    },
  };
}

function toSetup(row: GenerationRow): GenerationSetup | null {
  const { model, template, level, candidates, seed, variant } = row;
  if (model === null || template === null || level === null || candidates === null || seed === null)
    return null;
  return { model, template, level, candidates, seed, variant };
}

const toCandidate = (row: CandidateRow): StoredCandidate => ({
  index: row.idx,
  text: fromStoredText(row.text),
  tokens: row.tokens,
  finishReason: row.finish_reason,
  logProb: row.log_prob ?? Number.NaN,
  candidateId: row.candidate_id,
  score: row.score,
  filterReason: row.filter_reason === null ? null : fromStoredText(row.filter_reason),
});
