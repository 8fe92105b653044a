/** Who was erased, so that the tokens that they still have are refused: by a hash, and as long as such a token can last. */
export const erasedUsers = `
CREATE TABLE erased_users (
  user_key TEXT PRIMARY KEY,
  at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
