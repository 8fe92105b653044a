/** The real thread of the store, except that a call that asks for this word ends it while it works. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveStore } from '../../src/storage/embedded/serve-store.ts';
import type { ToStoreThread } from '../../src/storage/embedded/store-calls.ts';

parentPort?.on('message', (message: ToStoreThread) => {
  if (JSON.stringify(message).includes('END-THE-THREAD')) throw new Error('ended by a test');
});
if (parentPort !== null) serveStore(parentPort, workerData as { readonly file: string });
