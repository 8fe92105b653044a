import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenStorage } from '../../client/guest-token.ts';
import { ensureDirectory } from '../../data-directory.ts';

/** Keeps the guest of each server in a file that only this user reads, so that the same person comes back next time. */
export function tokenFiles(directory: string, url: URL): TokenStorage {
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
