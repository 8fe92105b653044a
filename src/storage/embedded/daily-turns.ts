import type { NotAppended, Quota } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';

export type DailyTurns = ReturnType<typeof prepareDailyTurns>;

/** What users have asked for on a day; to be called inside a transaction. */
export function prepareDailyTurns(connection: Connection) {
  const find = connection.prepare<{ turns: number }>(
    'SELECT turns FROM daily_turns WHERE user_id = ? AND day = ?',
  );
  const begin = connection.prepare('INSERT INTO daily_turns (user_id, day, turns) VALUES (?, ?, 1)');
  const count = connection.prepare('UPDATE daily_turns SET turns = turns + 1 WHERE user_id = ? AND day = ?');
  const forget = connection.prepare('DELETE FROM daily_turns WHERE user_id = ? AND day < ?');

  return {
    /** Counts one more turn of this day, unless the user has had them all: then why not. */
    take(userId: string, quota: Quota | null): NotAppended | null {
      if (quota === null) return null;
      const { turns } = find.first([userId, quota.day]) ?? { turns: 0 };
      if (turns >= quota.turnsMax) return { kind: 'over_quota' };
      if (count.run([userId, quota.day]) > 0) return null;
      forget.run([userId, quota.day]);
      begin.run([userId, quota.day]);
      return null;
    },
  };
}
