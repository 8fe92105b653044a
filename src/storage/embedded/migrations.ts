import { CodedError } from '../../std/coded-error.ts';
import type { Connection } from './connection.ts';
import { first } from './migrations/0001-first.ts';
import { race } from './migrations/0002-race.ts';
import { conversations } from './migrations/0003-conversations.ts';
import { dailyTurns } from './migrations/0004-daily-turns.ts';
import { writtenTexts } from './migrations/0005-written-texts.ts';
import { lighterTurns } from './migrations/0006-lighter-turns.ts';
import { rights } from './migrations/0007-rights.ts';

/** In order; the schema version is the number of those applied. One that was released is never changed. */
const migrations: readonly string[] = [
  first,
  race,
  conversations,
  dailyTurns,
  writtenTexts,
  lighterTurns,
  rights,
];

const schemaVersion = migrations.length;

/** "Amit" in ASCII, kept in the file's header: tells our files from those of other programs. */
const applicationId = 0x416d6974;

/**
 * Brings the file to `schemaVersion`, one transaction for all missing migrations.
 *
 * @throws CodedError `store_unavailable` when the file is not ours or newer than we are; nothing in it is changed then.
 */
export function migrate(connection: Connection): void {
  // A look without a lock first: in the normal case there is nothing to do, and no writer to wait for.
  if (connection.read(() => versionOf(connection)) === schemaVersion) return;
  connection.write(() => {
    for (const sql of migrations.slice(versionOf(connection))) connection.exec(sql);
    connection.pragma(`application_id = ${applicationId}`);
    connection.pragma(`user_version = ${schemaVersion}`);
  });
}

function versionOf(connection: Connection): number {
  const version = Number(connection.pragma('user_version'));
  const tables =
    connection.prepare<{ n: number }>('SELECT count(*) AS n FROM sqlite_schema').first([])?.n ?? 0;
  if (tables > 0 && connection.pragma('application_id') !== applicationId)
    throw new CodedError('store_unavailable', 'The file is the database of another program.');
  if (version > schemaVersion)
    throw new CodedError(
      'store_unavailable',
      `The store was written by a newer Amity (schema ${version}, this one knows ${schemaVersion}); update Amity.`,
    );
  return version;
}
