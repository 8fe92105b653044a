import type { StoredCandidate } from '../../conversation/message.ts';
import type { CandidateEnd } from '../../engine/request.ts';
import type { Connection, SqlValue } from './connection.ts';
import { fromStoredText, toStoredText } from './stored-text.ts';

interface CandidateRow {
  readonly idx: number;
  readonly candidate_id: string;
  readonly text: string;
  readonly tokens: number;
  readonly finish_reason: CandidateEnd;
  readonly log_prob: number | null;
  readonly score: number | null;
  readonly features: string | null;
  readonly filter_reason: string | null;
}

/** Statements about the candidates of generations; to be called inside a transaction. */
export function prepareCandidateRows(connection: Connection) {
  const ofGeneration = connection.prepare<CandidateRow>(
    'SELECT * FROM candidates WHERE generation_id = ? ORDER BY idx',
  );
  const insert = connection.prepare(
    `INSERT INTO candidates (generation_id, idx, candidate_id, text, tokens, finish_reason, log_prob, score,
       features, filter_reason)
     VALUES (:generationId, :index, :candidateId, :text, :tokens, :finishReason, :logProb, :score,
       :features, :filterReason)`,
  );
  const replace = connection.prepare(
    `UPDATE candidates SET idx = :index, text = :text, tokens = :tokens, finish_reason = :finishReason,
       log_prob = :logProb, score = :score, features = :features, filter_reason = :filterReason
     WHERE generation_id = :generationId AND candidate_id = :candidateId`,
  );
  return {
    of: (generationId: string) => ofGeneration.all([generationId]).map(toCandidate),
    insert: (generationId: string, candidate: StoredCandidate) =>
      insert.run(toParams(generationId, candidate)),
    replace: (generationId: string, candidate: StoredCandidate): boolean =>
      replace.run(toParams(generationId, candidate)) > 0,
  };
}

function toParams(generationId: string, candidate: StoredCandidate): Record<string, SqlValue> {
  const { index, candidateId, tokens, finishReason, logProb, score, filterReason } = candidate;
  return {
    ...{ generationId, index, candidateId, tokens, finishReason, logProb, score },
    text: toStoredText(candidate.text),
    features: candidate.features === null ? null : toJson(candidate.features),
    filterReason: filterReason === null ? null : toStoredText(filterReason),
  };
}

const toCandidate = (row: CandidateRow): StoredCandidate => ({
  index: row.idx,
  text: fromStoredText(row.text),
  tokens: row.tokens,
  finishReason: row.finish_reason,
  logProb: row.log_prob ?? Number.NaN,
  candidateId: row.candidate_id,
  score: row.score,
  features: row.features === null ? null : fromJson(row.features),
  filterReason: row.filter_reason === null ? null : fromStoredText(row.filter_reason),
});

/** JSON has no NaN and no infinity: those become strings. */
const toJson = (features: Readonly<Record<string, number>>) =>
  JSON.stringify(features, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );

const fromJson = (json: string): Record<string, number> =>
  Object.fromEntries(
    Object.entries(JSON.parse(json) as Record<string, number | string>).map(([name, value]) => [
      name,
      Number(value),
    ]),
  );
