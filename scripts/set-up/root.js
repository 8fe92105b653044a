import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, without a separator at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(new RegExp(`\\${sep}$`), '');

/** An absolute path in the repository. */
export const at = (...parts) => join(root, ...parts);

/** The text of a file, or undefined when it cannot be read. */
export function readOr(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
