import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Checkpoints } from './checkpoints.ts';
import { createEmbeddedStore, openMigrated } from './embedded-store.ts';
import { type Called, callTogether } from './group-commit.ts';
import { prepareSearchIndex } from './search-index.ts';
import { type StoreCall, type StoreOpened, type ToStoreThread, toSentError } from './store-calls.ts';

/** What waits longest in a group waits for all of it, so it is not made as large as it could be. */
const groupMax = 256;

/** Opens the store in this thread and does what comes over the port, until it is told to close. Never throws: it says why it cannot. */
export function serveStore(port: MessagePort, options: { readonly file: string }): void {
  try {
    const connection = openMigrated(options);
    const served: Served = {
      port,
      connection,
      store: createEmbeddedStore(connection),
      searchIndex: prepareSearchIndex(connection),
      checkpoints: new Checkpoints(connection, options.file),
    };
    port.on('message', (message: ToStoreThread) => void work(served, message));
    port.postMessage({ ok: true } satisfies StoreOpened);
  } catch (error) {
    port.postMessage(toSentError(error) satisfies StoreOpened);
    port.close();
  }
}

interface Served extends Called {
  readonly port: MessagePort;
  readonly checkpoints: Checkpoints;
}

/** Takes up what has come meanwhile, too: the more there is, the more one commit is for. */
async function work(served: Served, first: ToStoreThread): Promise<void> {
  const { port, store, checkpoints } = served;
  const messages = [first, ...waiting(port)];
  const calls = messages.flatMap((message): readonly StoreCall[] => (message === 'close' ? [] : message));
  for (let from = 0; from < calls.length; from += groupMax) {
    port.postMessage(await callTogether(served, calls.slice(from, from + groupMax)));
    checkpoints.consider();
  }
  if (!messages.includes('close')) return;
  await checkpoints[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  port.close();
}

function* waiting(port: MessagePort): Generator<ToStoreThread> {
  for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port))
    yield entry.message as ToStoreThread;
}
