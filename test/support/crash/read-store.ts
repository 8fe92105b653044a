/** Everything that a stopped server left in its store, other branches included. */
import { join } from 'node:path';
import { Connection } from '../../../src/storage/embedded/connection.ts';
import type { StoredGeneration, StoredHistory, StoredMessage, StoredRequest } from './history.ts';

export function readStoredHistory(dataDirectory: string): StoredHistory {
  using connection = new Connection(join(dataDirectory, 'amity.db'), 1000);
  const all = <Row>(sql: string) => connection.prepare<Row>(sql).all([]);
  return connection.read(() => ({
    messages: all<StoredMessage>(
      `SELECT message_id AS messageId, conversation_id AS conversationId, user_id AS userId, seq, role, text, status
       FROM messages`,
    ),
    generations: all<StoredGeneration>(
      'SELECT generation_id AS generationId, user_id AS userId, reply_to AS replyTo, status, text FROM generations',
    ),
    requests: all<StoredRequest>(
      `SELECT user_id AS userId, client_id AS clientId, message_id AS messageId, generation_id AS generationId
       FROM client_requests`,
    ),
  }));
}
