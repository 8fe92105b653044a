import { join } from 'node:path';
import type { Config } from './config/load.ts';
import { ensureDirectory } from './data-directory.ts';
import { openEmbeddedStore } from './storage/embedded/embedded-store.ts';
import { openStoreThread } from './storage/embedded/store-thread.ts';
import { openMongoStore } from './storage/mongo/mongo-store.ts';
import type { Store } from './storage/store.ts';

type StoreSettings = Pick<Config, 'store' | 'dataDirectory'>;

/** File of the embedded store. */
export const embeddedFile = ({ dataDirectory }: Pick<Config, 'dataDirectory'>) =>
  join(dataDirectory, 'amity.db');

/** For a server: the embedded store gets a thread of its own. @throws CodedError `store_unavailable`, which says why. */
export function openServedStore(config: StoreSettings): Promise<Store> {
  if (config.store.kind === 'mongodb') return openMongoStore(config.store);
  return openStoreThread({ file: embeddedFile(config) });
}

/** For a command, beside a running server or without one. @throws as `openServedStore` */
export async function openStore(config: StoreSettings): Promise<Store> {
  if (config.store.kind === 'mongodb') return openMongoStore(config.store);
  ensureDirectory(config.dataDirectory, 'DATA_DIR');
  return openEmbeddedStore({ file: embeddedFile(config) });
}
