import type { SearchHit, SearchQuery } from '../../conversation/stores.ts';
import type { Connection } from './connection.ts';
import { type Rows, stored } from './rows.ts';
import { fromStoredText } from './stored-text.ts';

/** Words of an excerpt. */
const excerptWords = 24;

/** Finding messages by their words; to be called inside a transaction. */
export function prepareSearch(connection: Connection, { messages }: Rows) {
  // The index gives its rows in the order of their ids, so nothing is sorted, and the walk ends with the page.
  const find = connection.prepare<{ id: number; message_id: string; excerpt: string }>(
    `SELECT s.id, s.message_id, snippet(search_index, 1, '', '', '…', ${excerptWords}) AS excerpt
     FROM search_index JOIN searchable_messages s ON s.id = search_index.rowid
       JOIN messages m ON m.message_id = s.message_id
     WHERE search_index MATCH :match AND search_index.rowid < :before
       AND (:conversationId IS NULL OR m.conversation_id = :conversationId)
     ORDER BY search_index.rowid DESC LIMIT :limit`,
  );

  return {
    search({ userId, conversationId, words, after, limit }: SearchQuery) {
      const rows = find.all({
        match: toMatch(userId, words),
        before: after ?? Number.MAX_SAFE_INTEGER,
        conversationId,
        limit: limit + 1,
      });
      const hits = rows.slice(0, limit).map(
        (row): SearchHit => ({
          message: stored(messages.find(row.message_id)),
          excerpt: fromStoredText(row.excerpt),
          place: row.id,
        }),
      );
      return { hits, hasMore: rows.length > limit };
    },
  };
}

/** In the language of https://sqlite.org/fts5.html; whatever stands in a word is a text to it. */
function toMatch(userId: string, words: readonly string[]): string {
  const owner = `owner : "u${Buffer.from(userId).toString('hex')}"`;
  // libsql would cut the query off at U+0000.
  const phrases = words.map((word) => `"${word.replaceAll('"', '""').replaceAll('\u0000', ' ')}"`);
  return `${owner} AND text : (${phrases.join(' AND ')} *)`;
}
