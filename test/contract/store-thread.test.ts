import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStoreThread } from '../../src/storage/embedded/store-thread.ts';
import { storeContract } from './store.contract.ts';

storeContract('embedded, in a thread of its own', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
  const open = () => openStoreThread({ file: join(directory, 'amity.db') });
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
});
