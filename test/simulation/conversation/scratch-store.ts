import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.ts';
import type { Store } from '../../../src/storage/store.ts';

/** The real store, in memory where the system has a file system there: what it promises to the disk is not in question here. */
export async function openScratchStore(): Promise<{ readonly store: Store } & AsyncDisposable> {
  const directory = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'amity-simulation-'));
  const store = await openEmbeddedStore({ file: join(directory, 'amity.db') });
  return {
    store,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
