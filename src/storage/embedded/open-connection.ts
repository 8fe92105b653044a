import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CodedError } from '../../std/coded-error.ts';
import { Connection } from './connection.ts';
import { sqliteCode } from './store-error.ts';

/**
 * Opens the file, or makes it with its directory (readable by its owner alone: it holds private talk).
 *
 * @throws CodedError `store_unavailable`, with a sentence for the operator that names the path.
 */
export function openConnection(file: string, busyTimeoutMs: number): Connection {
  const path = resolve(file);
  checkDirectory(dirname(path));
  checkFile(path);
  try {
    return new Connection(path, busyTimeoutMs);
  } catch (error) {
    throw unavailable(sentence(path, error), error);
  }
}

function checkDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unavailable(`The data directory ${directory} cannot be made or written${codeOf(error)}.`, error);
  }
}

function checkFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isFile()) throw unavailable(`${path} is not a file; the store needs one there.`);
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw unavailable(`${path} cannot be read and written${codeOf(error)}.`, error);
  }
}

function sentence(path: string, error: unknown): string {
  const code = sqliteCode(error);
  if (code === 'SQLITE_NOTADB') return `${path} is not a database.`;
  if (code?.startsWith('SQLITE_CORRUPT')) return `${path} is damaged.`;
  if (code?.startsWith('SQLITE_BUSY')) return `${path} is locked by another process.`;
  if (code?.startsWith('SQLITE_READONLY')) return `${path} is read-only.`;
  return `${path} cannot be opened as a database (${code ?? (error instanceof Error ? error.message : 'unknown error')}).`;
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? ` (${error.code})` : '');

const unavailable = (message: string, cause?: unknown) =>
  new CodedError('store_unavailable', message, { cause });
