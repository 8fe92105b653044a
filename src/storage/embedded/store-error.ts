import { CodedError } from '../../std/coded-error.ts';

/** Primary result codes of SQLite that only a fault in our own code can cause. */
const bugs = ['SQLITE_CONSTRAINT', 'SQLITE_MISMATCH', 'SQLITE_MISUSE', 'SQLITE_RANGE'];

/** Clients get to read these: they name no path. */
const sentences: readonly (readonly [code: string, sentence: string])[] = [
  ['SQLITE_BUSY', 'The store is locked by another process.'],
  ['SQLITE_LOCKED', 'The store is locked by another process.'],
  ['SQLITE_FULL', 'The disk of the store is full.'],
  ['SQLITE_READONLY', 'The store is read-only.'],
  ['SQLITE_CORRUPT', 'The store is damaged.'],
  ['SQLITE_NOTADB', 'The store is damaged.'],
  ['SQLITE_IOERR', 'The disk of the store reports an error.'],
];

/** An error of libsql as `store_unavailable` with the original as its cause; a bug and everything else as it is. */
export function toStoreError(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === null || bugs.some((bug) => code.startsWith(bug))) return error;
  const sentence = sentences.find(([prefix]) => code.startsWith(prefix))?.[1];
  return new CodedError('store_unavailable', sentence ?? 'The store cannot be used.', { cause: error });
}

/** Such as `SQLITE_BUSY` or the longer `SQLITE_IOERR_FSYNC`; null for an error that is none of libsql's. */
export function sqliteCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  return error.code.startsWith('SQLITE_') ? error.code : null;
}
