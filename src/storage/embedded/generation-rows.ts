import type {
  FinishReason,
  Generation,
  GenerationSetup,
  GenerationStatus,
} from '../../conversation/message.ts';
import type { RaceRecord } from '../../engine/request.ts';
import { prepareCandidateRows } from './candidate-rows.ts';
import type { Connection } from './connection.ts';
import { prepareGenerationLog } from './generation-log.ts';
import { fromStoredText } from './stored-text.ts';

interface GenerationRow {
  readonly generation_id: string;
  readonly conversation_id: string;
  readonly user_id: string;
  readonly message_id: string;
  readonly reply_to: string;
  readonly status: GenerationStatus;
  readonly finish_reason: FinishReason | null;
  readonly text: string;
  readonly attempts: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly model: string | null;
  readonly template: string | null;
  readonly seed: number | null;
  readonly variant: string | null;
  readonly shown_candidate_id: string | null;
  readonly race: string | null;
}

export type GenerationRows = ReturnType<typeof prepareGenerationRows>;

/** Statements that find and add generations, with their candidates and log; to be called inside a transaction. */
export function prepareGenerationRows(connection: Connection) {
  const byId = connection.prepare<GenerationRow>('SELECT * FROM generations WHERE generation_id = ?');
  const unfinished = connection.prepare<GenerationRow>(
    // Left to itself, SQLite walks all generations in the order of ordinal.
    `SELECT * FROM generations INDEXED BY generations_unfinished WHERE ended_at IS NULL ORDER BY ordinal`,
  );
  const insert = connection.prepare(
    `INSERT INTO generations (generation_id, conversation_id, user_id, message_id, reply_to, status, created_at)
     VALUES (?, ?, ?, ?, ?, 'queued', ?)`,
  );
  const candidates = prepareCandidateRows(connection);
  const log = prepareGenerationLog(connection);

  const toGeneration = (row: GenerationRow): Generation => ({
    generationId: row.generation_id,
    conversationId: row.conversation_id,
    userId: row.user_id,
    messageId: row.message_id,
    replyTo: row.reply_to,
    status: row.status,
    finishReason: row.finish_reason,
    text: row.ended_at === null ? log.text(row.generation_id) : fromStoredText(row.text),
    attempts: row.attempts,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    setup: toSetup(row),
    candidates: row.ended_at === null ? [] : candidates.of(row.generation_id),
    shownCandidateId: row.shown_candidate_id,
    // Written by `endGeneration` from a value of this type.
    race: row.race === null ? null : (JSON.parse(row.race) as RaceRecord),
  });

  return {
    candidates,
    log,
    /** Of whatever user: the caller compares `userId`. */
    find(generationId: string): Generation | null {
      const row = byId.first([generationId]);
      return row === undefined ? null : toGeneration(row);
    },
    unfinished: () => unfinished.all([]).map(toGeneration),
    /** Of a generation that is in line. */
    insert: (g: Generation) =>
      insert.run([g.generationId, g.conversationId, g.userId, g.messageId, g.replyTo, g.createdAt]),
  };
}

function toSetup({ model, template, seed, variant }: GenerationRow): GenerationSetup | null {
  if (model === null || template === null || seed === null) return null;
  return { model, template, seed, variant };
}
