/**
 * Who was erased, so that the tokens that they still have are refused: by a hash, and as long as such a token can last. And what imported
 * messages were called where they came from.
 */
export const rights = `
CREATE TABLE erased_users (
  user_key TEXT PRIMARY KEY,
  at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is kept of the store itself.
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE external_ids (
  message_id  TEXT PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
  external_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
