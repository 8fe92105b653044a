import type { PromptTrace } from '../../conversation/message.ts';
import type { Connection } from './connection.ts';

const lifeMs = 7 * 24 * 60 * 60 * 1000;
/** Expired ones deleted with each new one: more than one, so that they always become fewer. */
const purgedMax = 8;

/** What went into the prompts of the last days; to be called inside a transaction. */
export function preparePromptTraces(connection: Connection) {
  const put = connection.prepare(
    'INSERT OR REPLACE INTO prompt_traces (generation_id, created_at, trace) VALUES (?, ?, ?)',
  );
  const purge = connection.prepare(
    `DELETE FROM prompt_traces WHERE rowid IN
       (SELECT rowid FROM prompt_traces WHERE created_at <= ? ORDER BY created_at LIMIT ${purgedMax})`,
  );
  const byId = connection.prepare<{ trace: string; created_at: number }>(
    'SELECT trace, created_at FROM prompt_traces WHERE generation_id = ?',
  );
  return {
    /** In the place of that of an earlier start. */
    put(generationId: string, trace: PromptTrace, at: number): void {
      purge.run([at - lifeMs]);
      put.run([generationId, at, JSON.stringify(trace)]);
    },
    find(generationId: string, now: number): KeptTrace | null {
      const row = byId.first([generationId]);
      if (row === undefined || row.created_at <= now - lifeMs) return null;
      // Written by `put` from a value of this type.
      return { createdAt: row.created_at, trace: JSON.parse(row.trace) as PromptTrace };
    },
  };
}

interface KeptTrace {
  readonly createdAt: number;
  readonly trace: PromptTrace;
}
