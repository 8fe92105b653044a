/**
 * Races, further replies, choices and the generation log. What was stored before stays as it is: generations of
 * schema 1 have no race, candidates no features, and every companion message shows the candidate that its generation
 * ended with. `level`, `candidates` and `propensity` of a generation repeat what `race` says, for queries.
 */
export const race = `
ALTER TABLE messages ADD COLUMN shown_candidate_id TEXT CHECK (shown_candidate_id IS NULL OR role = 'companion');
UPDATE messages SET shown_candidate_id =
  (SELECT shown_candidate_id FROM generations WHERE generations.generation_id = messages.generation_id)
  WHERE generation_id IS NOT NULL;

ALTER TABLE generations ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0);
UPDATE generations SET attempts = 1 WHERE started_at IS NOT NULL;
ALTER TABLE generations ADD COLUMN race TEXT CHECK (race IS NULL OR json_valid(race));

ALTER TABLE candidates ADD COLUMN features TEXT CHECK (features IS NULL OR json_valid(features));

-- What each generation that has not ended has shown, piece by piece. Rows are only added, until its end takes them out:
-- the whole text is in generations.text then. The offset is counted in UTF-16 units, which SQLite cannot count: so is
-- the length of the piece.
CREATE TABLE generation_log (
  generation_id TEXT NOT NULL REFERENCES generations (generation_id) ON DELETE CASCADE,
  offset        INTEGER NOT NULL CHECK (offset >= 0),
  units         INTEGER NOT NULL CHECK (units > 0),
  text          TEXT NOT NULL,
  PRIMARY KEY (generation_id, offset)
) STRICT, WITHOUT ROWID;

-- One row for each time that somebody preferred a candidate to the one that was shown; never changed.
CREATE TABLE preferences (
  ordinal               INTEGER PRIMARY KEY,
  user_id               TEXT NOT NULL,
  message_id            TEXT NOT NULL REFERENCES messages ON DELETE CASCADE,
  generation_id         TEXT NOT NULL REFERENCES generations (generation_id) ON DELETE CASCADE,
  -- Null when a line that is no candidate was shown.
  previous_candidate_id TEXT,
  chosen_candidate_id   TEXT NOT NULL CHECK (chosen_candidate_id IS NOT previous_candidate_id),
  at                    INTEGER NOT NULL,
  FOREIGN KEY (generation_id, previous_candidate_id) REFERENCES candidates (generation_id, candidate_id)
    ON DELETE CASCADE,
  FOREIGN KEY (generation_id, chosen_candidate_id) REFERENCES candidates (generation_id, candidate_id)
    ON DELETE CASCADE
) STRICT;
CREATE INDEX preferences_message ON preferences (message_id);
CREATE INDEX preferences_previous ON preferences (generation_id, previous_candidate_id);
CREATE INDEX preferences_chosen ON preferences (generation_id, chosen_candidate_id);
CREATE TRIGGER preferences_are_appended BEFORE UPDATE ON preferences
  BEGIN SELECT raise(ABORT, 'preferences are never changed'); END;
`;
