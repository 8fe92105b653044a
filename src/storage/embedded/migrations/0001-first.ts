/**
 * Ids are TEXT, times are milliseconds since the epoch. Free text goes through stored-text.ts. The CHECKs hold what the
 * domain types promise, so that a bug shows at the write and not years later at a read.
 */
export const first = `
CREATE TABLE conversations (
  conversation_id  TEXT PRIMARY KEY,
  user_id          TEXT NOT NULL,
  title            TEXT,
  persona_id       TEXT,
  is_default       INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  last_seq         INTEGER NOT NULL DEFAULT 0,
  last_read_seq    INTEGER NOT NULL DEFAULT 0,
  rev              INTEGER NOT NULL DEFAULT 0,
  selected_leaf_id TEXT,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX conversations_default ON conversations (user_id) WHERE is_default = 1;

CREATE TABLE messages (
  message_id        TEXT PRIMARY KEY,
  conversation_id   TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
  user_id           TEXT NOT NULL,
  seq               INTEGER NOT NULL CHECK (seq >= 1),
  rev               INTEGER NOT NULL CHECK (rev >= 1),
  role              TEXT NOT NULL CHECK (role IN ('user', 'companion')),
  text              TEXT NOT NULL,
  status            TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'cancelled', 'failed')),
  created_at        INTEGER NOT NULL,
  -- No cascade: SQLite would follow a branch message by message and give up at its trigger depth of 1,000.
  parent_id         TEXT REFERENCES messages,
  client_message_id TEXT,
  generation_id     TEXT,
  finish_reason     TEXT,
  model             TEXT,
  variant           TEXT,
  CHECK ((role = 'companion') = (generation_id IS NOT NULL)),
  CHECK (role = 'companion' OR status = 'done')
) STRICT;
CREATE UNIQUE INDEX messages_seq ON messages (conversation_id, seq);
CREATE INDEX messages_rev ON messages (conversation_id, rev);
CREATE INDEX messages_siblings ON messages (parent_id, conversation_id, role, seq);

-- One row for each id that a client made and we acknowledged, whatever event it came with.
CREATE TABLE client_requests (
  user_id         TEXT NOT NULL,
  client_id       TEXT NOT NULL,
  conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
  body_hash       TEXT NOT NULL,
  message_id      TEXT NOT NULL,
  generation_id   TEXT NOT NULL,
  PRIMARY KEY (user_id, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_requests_conversation ON client_requests (conversation_id);

CREATE TABLE generations (
  -- Age: grows with every generation, whatever the clock does.
  ordinal            INTEGER PRIMARY KEY,
  generation_id      TEXT NOT NULL UNIQUE,
  conversation_id    TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
  user_id            TEXT NOT NULL,
  message_id         TEXT NOT NULL REFERENCES messages ON DELETE CASCADE,
  reply_to           TEXT NOT NULL REFERENCES messages ON DELETE CASCADE,
  status             TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'cancelled', 'failed')),
  finish_reason      TEXT CHECK (finish_reason IN ('stop', 'length', 'cancelled', 'superseded', 'filtered', 'canned')),
  text               TEXT NOT NULL DEFAULT '',
  created_at         INTEGER NOT NULL,
  started_at         INTEGER,
  ended_at           INTEGER,
  -- The set-up, all of it or (before the start) nothing.
  model              TEXT,
  template           TEXT,
  level              INTEGER,
  candidates         INTEGER,
  seed               INTEGER,
  variant            TEXT,
  shown_candidate_id TEXT,
  propensity         REAL,
  CHECK ((ended_at IS NULL) = (status IN ('queued', 'running'))),
  CHECK ((finish_reason IS NULL) = (status IN ('queued', 'running', 'failed')))
) STRICT;
CREATE INDEX generations_unfinished ON generations (conversation_id, ordinal) WHERE ended_at IS NULL;
CREATE INDEX generations_conversation ON generations (conversation_id);
CREATE INDEX generations_message ON generations (message_id);
CREATE INDEX generations_reply_to ON generations (reply_to);

CREATE TABLE candidates (
  generation_id TEXT NOT NULL REFERENCES generations (generation_id) ON DELETE CASCADE,
  idx           INTEGER NOT NULL,
  candidate_id  TEXT NOT NULL,
  text          TEXT NOT NULL,
  tokens        INTEGER NOT NULL,
  finish_reason TEXT NOT NULL,
  -- SQLite has no NaN: it is stored as NULL.
  log_prob      REAL,
  score         REAL,
  filter_reason TEXT,
  PRIMARY KEY (generation_id, idx),
  UNIQUE (generation_id, candidate_id)
) STRICT;

CREATE TABLE prompt_traces (
  generation_id TEXT PRIMARY KEY REFERENCES generations (generation_id) ON DELETE CASCADE,
  created_at    INTEGER NOT NULL,
  trace         TEXT NOT NULL
) STRICT;
CREATE INDEX prompt_traces_age ON prompt_traces (created_at);

CREATE TABLE reactions (
  user_id    TEXT NOT NULL,
  message_id TEXT NOT NULL REFERENCES messages ON DELETE CASCADE,
  kind       TEXT NOT NULL CHECK (kind IN ('up', 'down', 'love', 'funny', 'meaningless', 'offensive')),
  comment    TEXT,
  at         INTEGER NOT NULL,
  PRIMARY KEY (message_id, user_id)
) STRICT, WITHOUT ROWID;

-- One row that is overwritten to find out whether the store takes writes.
CREATE TABLE pings (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  at INTEGER NOT NULL
) STRICT;
INSERT INTO pings (id, at) VALUES (1, 0);
`;
