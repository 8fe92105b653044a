import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyValueStorage } from '../../client/key-value-storage.ts';
import { ensureDirectory } from '../../data-directory.ts';

/** Keeps the guest of each server in a file that only this user reads, so that the same person comes back next time. */
export function tokenFiles(directory: string, url: URL): KeyValueStorage {
  const path = join(directory, `${url.host.replaceAll(':', '_')}.json`);
  return {
    getItem: () => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return null;
      }
    },
    setItem: (_key, value) => {
      ensureDirectory(directory, 'DATA_DIR');
      writeFileSync(path, value, { mode: 0o600 });
    },
  };
}
