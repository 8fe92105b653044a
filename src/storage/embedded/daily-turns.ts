import type { NotAppended, Quota } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';

export type DailyTurns = ReturnType<typeof prepareDailyTurns>;

/** What users have asked for on a day; to be called inside a transaction. */
export function prepareDailyTurns(connection: Connection) {
  // Each conversation counts its own (`addMessages`); `daily_turns` holds what deleted ones and guests have left behind.
  const count = connection.prepare<{ turns: number }>(
    `SELECT (SELECT ifnull(sum(turns_today), 0) FROM conversations WHERE user_id = :userId AND turns_day = :day)
       + ifnull((SELECT turns FROM daily_turns WHERE user_id = :userId AND day = :day), 0) AS turns`,
  );

  return {
    /** Why a user may not have one more turn of this day: because they have had them all. */
    refuse(userId: string, quota: Quota | null): NotAppended | null {
      if (quota === null) return null;
      const { day, turnsMax } = quota;
      return (count.first({ userId, day })?.turns ?? 0) < turnsMax ? null : { kind: 'over_quota' };
    },
  };
}
