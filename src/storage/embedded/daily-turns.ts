import type { NotAppended, Quota } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';

export type DailyTurns = ReturnType<typeof prepareDailyTurns>;

/** What users have asked for on a day; to be called inside a transaction. */
export function prepareDailyTurns(connection: Connection) {
  const count = connection.prepare<{ turns: number }>(
    `INSERT INTO daily_turns (user_id, day, turns) VALUES (:userId, :day, 1)
     ON CONFLICT DO UPDATE SET turns = turns + 1 WHERE turns < :turnsMax RETURNING turns`,
  );
  const forget = connection.prepare('DELETE FROM daily_turns WHERE user_id = ? AND day < ?');

  return {
    /** Counts one more turn of this day, unless the user has had them all: then why not. */
    take(userId: string, quota: Quota | null): NotAppended | null {
      if (quota === null) return null;
      const counted = quota.turnsMax < 1 ? undefined : count.first({ userId, ...quota });
      if (counted === undefined) return { kind: 'over_quota' };
      if (counted.turns === 1) forget.run([userId, quota.day]);
      return null;
    },
  };
}
