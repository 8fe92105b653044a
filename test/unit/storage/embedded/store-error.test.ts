import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../../src/std/coded-error.ts';
import { toStoreError } from '../../../../src/storage/embedded/store-error.ts';

const sqliteError = (code: string) => Object.assign(new Error(`/secret/path: ${code}`), { code });

describe('an error of the embedded store', () => {
  it.each([
    ['SQLITE_BUSY', 'locked'],
    ['SQLITE_BUSY_SNAPSHOT', 'locked'],
    ['SQLITE_FULL', 'full'],
    ['SQLITE_READONLY_DBMOVED', 'read-only'],
    ['SQLITE_CORRUPT_INDEX', 'damaged'],
    ['SQLITE_IOERR_FSYNC', 'reports an error'],
    ['SQLITE_CANTOPEN', 'cannot be used'],
    ['SQLITE_NOMEM', 'cannot be used'],
  ])('%s becomes store_unavailable, keeps its cause and tells clients no path', (code, word) => {
    const cause = sqliteError(code);
    const error = toStoreError(cause);
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ code: 'store_unavailable', cause });
    expect((error as CodedError).message).toContain(word);
    expect((error as CodedError).message).not.toContain('/secret');
  });

  it.each([
    sqliteError('SQLITE_CONSTRAINT_UNIQUE'),
    sqliteError('SQLITE_RANGE'),
    new TypeError('failed to downcast any to object'),
    Object.assign(new Error('no such file'), { code: 'ENOENT' }),
    new CodedError('not_found', 'No.'),
  ])('stays as it is when it is a bug or none of libsql: %s', (error) => {
    expect(toStoreError(error)).toBe(error);
  });
});
