import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import { storeContract } from './store.contract.ts';

storeContract('embedded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
  const open = () => openEmbeddedStore({ file: join(directory, 'amity.db') });
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
