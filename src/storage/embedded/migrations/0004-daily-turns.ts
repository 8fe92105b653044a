/** How many turns users have asked for on a day, so that a restart does not begin their day anew. */
export const dailyTurns = `
CREATE TABLE daily_turns (
  user_id TEXT NOT NULL,
  day     TEXT NOT NULL,
  turns   INTEGER NOT NULL,
  PRIMARY KEY (user_id, day)
) STRICT, WITHOUT ROWID;
`;
