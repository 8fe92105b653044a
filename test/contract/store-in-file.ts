import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../src/storage/store.ts';
import type { OpenStore } from './store.contract.ts';

/** Stores that are kept in one file, each in a directory of its own. */
export function storeInFile(openFile: (options: { readonly file: string }) => Promise<Store>): OpenStore {
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
    const open = () => openFile({ file: join(directory, 'amity.db') });
    const opened = {
      store: await open(),
      async reopen() {
        await opened.store[Symbol.asyncDispose]();
        opened.store = await open();
        return opened.store;
      },
      async remove() {
        await opened.store[Symbol.asyncDispose]();
        await rm(directory, { recursive: true });
      },
    };
    return opened;
  };
}
