/**
 * Less for a turn to write: docs/adr/0018-a-turn-writes-less.md.
 *
 * A text waits for its index among many. Those that wait come after `indexed_through`: the ids of `searchable_messages` grow, and where
 * the newest goes, so that its id will be given again, `indexed_through` goes back with it.
 *
 * What a turn puts somewhere in the middle of an index changes a page for this turn alone; what it puts at the end shares one.
 */
export const lighterTurns = `
CREATE TABLE search_progress (
  id              INTEGER PRIMARY KEY CHECK (id = 1),
  indexed_through INTEGER NOT NULL
) STRICT;
INSERT INTO search_progress SELECT 1, ifnull(max(id), 0) FROM searchable_messages;

DROP TRIGGER messages_are_searchable;
CREATE TRIGGER messages_are_searchable AFTER INSERT ON messages WHEN new.text <> '' BEGIN
  INSERT INTO searchable_messages (message_id) VALUES (new.message_id);
END;
DROP TRIGGER changed_texts_are_searchable;
CREATE TRIGGER changed_texts_are_searchable AFTER UPDATE OF text, user_id ON messages
  WHEN old.text IS NOT new.text OR old.user_id IS NOT new.user_id BEGIN
  INSERT INTO search_index (search_index, rowid, owner, text)
    SELECT 'delete', id, 'u' || lower(hex(old.user_id)), old.text FROM searchable_messages
    WHERE message_id = old.message_id AND id <= (SELECT indexed_through FROM search_progress);
  INSERT INTO search_index (rowid, owner, text)
    SELECT id, 'u' || lower(hex(new.user_id)), new.text FROM searchable_messages
    WHERE message_id = new.message_id AND id <= (SELECT indexed_through FROM search_progress);
  INSERT OR IGNORE INTO searchable_messages (message_id) SELECT new.message_id WHERE new.text <> '';
END;
DROP TRIGGER deleted_texts_are_not_searchable;
CREATE TRIGGER deleted_texts_are_not_searchable BEFORE DELETE ON messages BEGIN
  INSERT INTO search_index (search_index, rowid, owner, text)
    SELECT 'delete', id, 'u' || lower(hex(old.user_id)), old.text FROM searchable_messages
    WHERE message_id = old.message_id AND id <= (SELECT indexed_through FROM search_progress);
  DELETE FROM searchable_messages WHERE message_id = old.message_id;
  UPDATE search_progress SET indexed_through = (SELECT ifnull(max(id), 0) FROM searchable_messages)
    WHERE indexed_through > (SELECT ifnull(max(id), 0) FROM searchable_messages);
END;

-- Was (user_id, updated_at, conversation_id): in another place with every message.
DROP INDEX conversations_newest;
CREATE INDEX conversations_user ON conversations (user_id);

-- The day on which the last turn was asked for here, and how many were on it. A deleted conversation leaves them to daily_turns.
ALTER TABLE conversations ADD COLUMN turns_day TEXT;
ALTER TABLE conversations ADD COLUMN turns_today INTEGER NOT NULL DEFAULT 0;

-- Was (conversation_id, rev) of all messages. Those as they were inserted are found by their seq: it grows as born_rev does.
ALTER TABLE messages ADD COLUMN born_rev INTEGER NOT NULL DEFAULT 0;
DROP INDEX messages_rev;
CREATE INDEX messages_changed ON messages (conversation_id, rev) WHERE rev > born_rev;

DROP INDEX generations_unfinished;
CREATE INDEX generations_unfinished ON generations (ordinal) WHERE ended_at IS NULL;

-- A generation goes with its reply, which goes with the message that it answers and with the conversation.
DROP INDEX generations_conversation;
DROP INDEX generations_message;
DROP INDEX generations_reply_to;
ALTER TABLE generations ALTER COLUMN conversation_id TO conversation_id TEXT NOT NULL;
ALTER TABLE generations ALTER COLUMN message_id TO message_id TEXT NOT NULL;
ALTER TABLE generations ALTER COLUMN reply_to TO reply_to TEXT NOT NULL;
CREATE TRIGGER generations_go_with_their_reply AFTER DELETE ON messages WHEN old.generation_id IS NOT NULL BEGIN
  DELETE FROM generations WHERE generation_id = old.generation_id;
END;

DROP INDEX client_requests_conversation;
ALTER TABLE client_requests ALTER COLUMN conversation_id TO conversation_id TEXT NOT NULL;
CREATE TRIGGER what_goes_with_a_conversation AFTER DELETE ON conversations BEGIN
  DELETE FROM client_requests WHERE user_id = old.user_id AND conversation_id = old.conversation_id;
  DELETE FROM daily_turns WHERE user_id = old.user_id AND day < old.turns_day;
  INSERT INTO daily_turns (user_id, day, turns) SELECT old.user_id, old.turns_day, old.turns_today WHERE old.turns_today > 0
    ON CONFLICT DO UPDATE SET turns = turns + excluded.turns;
END;
`;
