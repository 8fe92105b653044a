/** Entry of the thread that takes the embedded store's log into its file, so that nobody who writes waits for it. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveCheckpoints } from '../src/storage/embedded/serve-checkpoints.ts';

if (parentPort === null) throw new Error('workers/checkpoint.ts is started as a thread.');
serveCheckpoints(parentPort, workerData as { readonly file: string });
