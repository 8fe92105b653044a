import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory with its parents and checks that it can be written.
 *
 * Not by `mkdir` with `recursive`: where a file system refuses new entries with ENOENT, as /proc does, Node tries for ever.
 *
 * @throws Error with one sentence that names the directory, the reason and the remedy.
 */
export function ensureDirectory(path: string, setting: 'DATA_DIR' | 'MODELS_DIR'): void {
  try {
    makeWithParents(path);
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new Error(problemOf(path, setting, (error as NodeJS.ErrnoException).code), { cause: error });
  }
}

function makeWithParents(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw error;
    makeWithParents(parent);
    mkdirSync(path);
  }
}

function problemOf(path: string, setting: string, code = 'unknown reason'): string {
  if (code === 'ENOSPC')
    return `The disk of the directory ${path} is full. Make room, or set ${setting} to another place.`;
  return `The directory ${path} cannot be written (${code}). Give this user the right to write there, or set ${setting} to another place.`;
}
