import { CodedError } from '../../std/coded-error.ts';
import type { Connection } from './connection.ts';

/** How far a copy into this store has come; to be called inside a transaction. */
export function prepareCopyMark(connection: Connection) {
  const find = connection.prepare<{ value: string }>("SELECT value FROM meta WHERE name = 'copy'");
  const put = connection.prepare(
    "INSERT INTO meta (name, value) VALUES ('copy', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  );
  const remove = connection.prepare("DELETE FROM meta WHERE name = 'copy'");
  return {
    find: (): string | null => find.first([])?.value ?? null,
    set: (userId: string | null) => (userId === null ? remove.run([]) : put.run([userId])),
  };
}

/** @throws CodedError `store_unavailable` while a copy into the store goes on, or was broken off. */
export function refuseHalfCopied(connection: Connection): void {
  if (connection.read(() => prepareCopyMark(connection).find()) !== null)
    throw new CodedError(
      'store_unavailable',
      'A copy into it has not come to its end: run `amity db copy` again.',
    );
}
