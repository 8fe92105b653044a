/**
 * Several conversations, deletion, search, settings and feedback.
 *
 * The index of texts is fed by triggers, so that no way of writing a message can forget it. Its rows have ids of their own: those
 * that SQLite gives to messages change when the file is compacted.
 */
export const conversations = `
CREATE INDEX conversations_newest ON conversations (user_id, updated_at DESC, conversation_id DESC);

-- The first answer is given again also when the message has been deleted since.
ALTER TABLE client_requests ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client_requests ADD COLUMN role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'companion'));
UPDATE client_requests SET (seq, role) =
  (SELECT m.seq, m.role FROM messages m WHERE m.message_id = client_requests.message_id);

-- What devices that were away have to take out.
CREATE TABLE deleted_messages (
  conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
  rev             INTEGER NOT NULL,
  message_id      TEXT NOT NULL,
  PRIMARY KEY (conversation_id, rev, message_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE searchable_messages (
  id         INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE
) STRICT;
-- The owner is one word of letters and digits, whatever the user id is made of.
CREATE VIEW search_texts (id, owner, text) AS
  SELECT s.id, 'u' || lower(hex(m.user_id)), m.text FROM searchable_messages s JOIN messages m USING (message_id);
CREATE VIRTUAL TABLE search_index USING fts5(
  owner, text, content='search_texts', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
-- A deleted text leaves the file, too.
INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 1);
INSERT INTO searchable_messages (message_id) SELECT message_id FROM messages ORDER BY created_at, seq;
INSERT INTO search_index (search_index) VALUES ('rebuild');

CREATE TRIGGER messages_are_searchable AFTER INSERT ON messages BEGIN
  INSERT INTO searchable_messages (message_id) VALUES (new.message_id);
  INSERT INTO search_index (rowid, owner, text)
    SELECT id, 'u' || lower(hex(new.user_id)), new.text FROM searchable_messages WHERE message_id = new.message_id;
END;
CREATE TRIGGER changed_texts_are_searchable AFTER UPDATE OF text, user_id ON messages
  WHEN old.text IS NOT new.text OR old.user_id IS NOT new.user_id BEGIN
  INSERT INTO search_index (search_index, rowid, owner, text)
    SELECT 'delete', id, 'u' || lower(hex(old.user_id)), old.text FROM searchable_messages WHERE message_id = old.message_id;
  INSERT INTO search_index (rowid, owner, text)
    SELECT id, 'u' || lower(hex(new.user_id)), new.text FROM searchable_messages WHERE message_id = new.message_id;
END;
CREATE TRIGGER deleted_texts_are_not_searchable BEFORE DELETE ON messages BEGIN
  INSERT INTO search_index (search_index, rowid, owner, text)
    SELECT 'delete', id, 'u' || lower(hex(old.user_id)), old.text FROM searchable_messages WHERE message_id = old.message_id;
  DELETE FROM searchable_messages WHERE message_id = old.message_id;
END;

CREATE TABLE user_settings (
  user_id          TEXT PRIMARY KEY,
  training_consent INTEGER NOT NULL DEFAULT 0 CHECK (training_consent IN (0, 1)),
  style_enabled    INTEGER NOT NULL DEFAULT 1 CHECK (style_enabled IN (0, 1)),
  locale           TEXT,
  time_zone        TEXT
) STRICT, WITHOUT ROWID;

-- One row for each time that somebody said how a conversation left them; never changed.
CREATE TABLE session_feedback (
  ordinal         INTEGER PRIMARY KEY,
  user_id         TEXT NOT NULL,
  conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
  rating          TEXT NOT NULL CHECK (rating IN ('better', 'same', 'worse')),
  at              INTEGER NOT NULL
) STRICT;
CREATE INDEX session_feedback_conversation ON session_feedback (conversation_id);
CREATE TRIGGER session_feedback_is_appended BEFORE UPDATE ON session_feedback
  BEGIN SELECT raise(ABORT, 'feedback is never changed'); END;
`;
