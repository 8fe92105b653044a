import type { GenerationStore } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import { fromStoredText, toStoredText } from './stored-text.ts';

type Piece = Parameters<GenerationStore['appendText']>[0];

/**
 * What each generation that has not ended has shown so far. To be called inside a transaction: appending inside
 * `Connection.writeUnsynced`, since it happens some 25 times a second for each running reply. A power cut may so take
 * the last moments of the replies that ran; their messages were acknowledged by `appendTurn`, which syncs.
 */
export function prepareGenerationLog(connection: Connection) {
  const isUnfinished = connection.prepare(
    'SELECT 1 FROM generations WHERE generation_id = ? AND ended_at IS NULL',
  );
  const end = connection.prepare<{ end: number }>(
    'SELECT offset + units AS end FROM generation_log WHERE generation_id = ? ORDER BY offset DESC LIMIT 1',
  );
  const insert = connection.prepare(
    'INSERT INTO generation_log (generation_id, offset, units, text) VALUES (?, ?, ?, ?)',
  );
  const whole = connection.prepare<{ text: string }>(
    "SELECT group_concat(text, '' ORDER BY offset) AS text FROM generation_log WHERE generation_id = ?",
  );
  const remove = connection.prepare('DELETE FROM generation_log WHERE generation_id = ?');

  return {
    append({ generationId, offset, text }: Piece): boolean {
      if (isUnfinished.first([generationId]) === undefined) return false;
      const logged = end.first([generationId])?.end ?? 0;
      if (offset !== logged)
        throw new Error(`The log of generation ${generationId} ends at ${logged}, not at ${offset}.`);
      // SQLite keeps UTF-8, where half a surrogate pair has no place.
      if (!text.isWellFormed())
        throw new Error(`A piece of generation ${generationId} splits a surrogate pair.`);
      if (text !== '') insert.run([generationId, offset, text.length, toStoredText(text)]);
      return true;
    },
    text: (generationId: string): string => fromStoredText(whole.first([generationId])?.text ?? ''),
    remove: (generationId: string) => remove.run([generationId]),
  };
}
