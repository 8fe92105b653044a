import { treatments } from '../../records/inventory.ts';
import type { Erased, IdPage, RecordStore } from '../../records/stores.ts';
import type { Connection } from './connection.ts';

type Erasure = Parameters<RecordStore['eraseUser']>[0];

/** A token of a guest lasts for 30 days, and none is given to somebody erased. */
const keptMs = 31 * 24 * 60 * 60 * 1000;

/** Taking out all that is kept of a user; to be called inside a transaction. */
export function prepareErasure(connection: Connection) {
  const owned = '(SELECT conversation_id FROM conversations WHERE user_id = :userId)';
  const messages = `FROM messages m WHERE m.conversation_id IN ${owned}`;
  const count = connection.prepare<{ [Name in keyof Erased]: number }>(
    `SELECT (SELECT count(*) FROM conversations WHERE user_id = :userId) AS conversations,
       (SELECT count(*) ${messages}) AS messages,
       (SELECT count(*) ${messages} AND m.generation_id IS NOT NULL) AS generations,
       (SELECT count(*) FROM reactions WHERE message_id IN (SELECT m.message_id ${messages})) AS reactions,
       (SELECT count(*) FROM preferences WHERE message_id IN (SELECT m.message_id ${messages})) AS preferences,
       (SELECT count(*) FROM session_feedback WHERE conversation_id IN ${owned}) AS feedback,
       (SELECT count(*) FROM user_settings WHERE user_id = :userId) AS settings`,
  );
  // Messages, and all that hangs on them, go with their conversations.
  const removals = treatments('tables')
    .filter(([, by]) => by === 'user_id')
    .map(([table]) => connection.prepare(`DELETE FROM ${table} WHERE user_id = ?`));
  const note = connection.prepare(
    'INSERT INTO erased_users (user_key, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at',
  );
  const forget = connection.prepare('DELETE FROM erased_users WHERE at < ?');
  const list = connection.prepare<{ userKey: string; at: number }>(
    'SELECT user_key AS userKey, at FROM erased_users WHERE user_key > :after ORDER BY user_key LIMIT :limit',
  );
  const find = connection.prepare('SELECT 1 FROM erased_users WHERE user_key = ?');

  return {
    erase({ userId, userKey, at }: Erasure): Erased {
      const [counts] = count.all({ userId });
      if (counts === undefined) throw new Error('Counting has no row.');
      for (const removal of removals) removal.run([userId]);
      forget.run([at - keptMs]);
      if (userKey !== null) note.run([userKey, at]);
      return counts;
    },
    erasedUsers: ({ after, limit }: IdPage) => list.all({ after: after ?? '', limit }),
    putErased: (userKey: string, at: number) => note.run([userKey, at]),
    isErased: (userKey: string): boolean => find.first([userKey]) !== undefined,
  };
}
