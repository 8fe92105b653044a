import type { Claimed, ConversationListStore } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';

type Claim = Parameters<ConversationListStore['claimUser']>[0];

/** Handing over what one user has to another; to be called inside a transaction. */
export function prepareClaims(connection: Connection) {
  const count = connection.prepare<{ conversations: number; messages: number }>(
    `SELECT (SELECT count(*) FROM conversations WHERE user_id = :from) AS conversations,
            (SELECT count(*) FROM messages WHERE user_id = :from) AS messages`,
  );
  const moves = [
    // The account may have a default conversation; then that one stays it.
    `UPDATE conversations SET is_default = 0 WHERE user_id = :from
       AND EXISTS (SELECT 1 FROM conversations WHERE user_id = :to AND is_default = 1)`,
    'UPDATE conversations SET user_id = :to WHERE user_id = :from',
    'UPDATE messages SET user_id = :to WHERE user_id = :from',
    'UPDATE generations SET user_id = :to WHERE user_id = :from',
    'UPDATE reactions SET user_id = :to WHERE user_id = :from',
    // Ids that both have used: those of the account stand.
    'UPDATE OR IGNORE client_requests SET user_id = :to WHERE user_id = :from',
    'DELETE FROM client_requests WHERE user_id = :from AND :to <> :from',
    // What the guest has asked for today counts for the account.
    `INSERT INTO daily_turns (user_id, day, turns) SELECT :to, day, turns FROM daily_turns WHERE user_id = :from AND :to <> :from
       ON CONFLICT DO UPDATE SET turns = daily_turns.turns + excluded.turns`,
    'DELETE FROM daily_turns WHERE user_id = :from AND :to <> :from',
    'UPDATE OR IGNORE user_settings SET user_id = :to WHERE user_id = :from',
    'DELETE FROM user_settings WHERE user_id = :from AND :to <> :from',
  ].map((sql) => connection.prepare(sql));
  const appended = [
    prepareReplacement(connection, 'preferences', [
      'message_id',
      'generation_id',
      'previous_candidate_id',
      'chosen_candidate_id',
      'at',
    ]),
    prepareReplacement(connection, 'session_feedback', ['conversation_id', 'rating', 'at']),
  ];

  return {
    claim({ from, to }: Claim): Claimed {
      const counts = count.first({ from }) ?? { conversations: 0, messages: 0 };
      for (const move of moves) move.run({ from, to });
      for (const replace of appended) replace({ from, to });
      return { conversations: counts.conversations, messages: counts.messages };
    },
  };
}

/** Rows that are never changed are taken out and put back under the other user, in their old places. */
function prepareReplacement(connection: Connection, table: string, columns: readonly string[]) {
  const find = connection.prepare<Record<string, string | number | null>>(
    `SELECT ordinal, ${columns.join(', ')} FROM ${table} WHERE user_id = ?`,
  );
  const remove = connection.prepare(`DELETE FROM ${table} WHERE user_id = ?`);
  const insert = connection.prepare(
    `INSERT INTO ${table} (ordinal, user_id, ${columns.join(', ')})
     VALUES (:ordinal, :user_id, ${columns.map((column) => `:${column}`).join(', ')})`,
  );
  return ({ from, to }: Claim) => {
    const rows = find.all([from]);
    remove.run([from]);
    for (const row of rows) {
      const values = Object.fromEntries(
        ['ordinal', ...columns].map((column) => [column, row[column] ?? null]),
      );
      insert.run({ ...values, user_id: to });
    }
  };
}
