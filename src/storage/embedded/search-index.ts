import type { Connection } from './connection.ts';

/** Texts that wait for the index before it takes them: together, 256 cost a tenth of what each costs alone (docs/adr/0018). */
const waitingMax = 256;

export type SearchIndex = ReturnType<typeof prepareSearchIndex>;

/** The index of texts, which takes many at once. */
export function prepareSearchIndex(connection: Connection) {
  const progress = connection.prepare<{ indexed: number; newest: number }>(
    `SELECT indexed_through AS indexed, ifnull((SELECT max(id) FROM searchable_messages), 0) AS newest
     FROM search_progress`,
  );
  const add = connection.prepare(
    'INSERT INTO search_index (rowid, owner, text) SELECT id, owner, text FROM search_texts WHERE id > ? AND id <= ?',
  );
  const note = connection.prepare('UPDATE search_progress SET indexed_through = ?');

  const findProgress = () => progress.first([]) ?? { indexed: 0, newest: 0 };

  /** Takes the oldest that wait. @returns the id of the last that is in the index. */
  function takeSome(): number {
    const { indexed, newest } = findProgress();
    const last = Math.min(newest, indexed + waitingMax);
    add.run([indexed, last]);
    note.run([last]);
    return last;
  }

  return {
    /** Takes some of the texts when many wait. To be called now and then by who writes; where it cannot be done, they go on waiting. */
    keepUp(): void {
      try {
        const { indexed, newest } = connection.read(findProgress);
        if (newest - indexed >= waitingMax) connection.writeUnsynced(takeSome);
      } catch {
        // Whoever searches or writes next is told.
      }
    },

    /** Takes all that waits at this moment. @throws CodedError `store_unavailable` where nothing can be written. */
    catchUp(): void {
      const { indexed, newest } = connection.read(findProgress);
      for (let last = indexed; last < newest; ) last = connection.writeUnsynced(takeSome);
    },
  };
}
