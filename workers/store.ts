/** Entry of the embedded store's thread: the one place where its file is read and written by the server. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveStore } from '../src/storage/embedded/serve-store.ts';

if (parentPort === null) throw new Error('workers/store.ts is started as a thread.');
serveStore(parentPort, workerData as { readonly file: string });
