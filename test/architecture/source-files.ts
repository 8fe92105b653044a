/** The files of this repository, without what is installed or built. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const notOurs = new Set(['node_modules', 'dist', '.git', 'coverage', '.venv', '__pycache__', '.cache']);
/** Models and conversations of somebody who runs Amity here. */
const dataDirectory = 'data';

/** Paths relative to the root, with forward slashes, sorted. */
export function listFiles(folder: string, wanted: RegExp): readonly string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      if (notOurs.has(entry.name)) continue;
      const inner = path === '.' ? entry.name : `${path}/${entry.name}`;
      if (inner === dataDirectory) continue;
      if (entry.isDirectory()) visit(inner);
      else if (wanted.test(inner)) found.push(inner);
    }
  };
  visit(folder);
  return found.sort();
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
