import type { MessagePort } from 'node:worker_threads';
import { Connection } from './connection.ts';

/** Each takes what was written during the one before it, so that next to nothing is left to the thread that writes. */
const rounds = 3;

export type ToCheckpointThread = 'take' | 'close';

/** Takes the log of a file into it as often as it is told to, with a connection of its own, until it is told to close. */
export function serveCheckpoints(port: MessagePort, { file }: { readonly file: string }): void {
  const connection = new Connection(file, 0);
  port.on('message', (message: ToCheckpointThread) => {
    if (message === 'close') {
      connection[Symbol.dispose]();
      port.close();
      return;
    }
    for (let round = 0; round < rounds; round++) connection.checkpoint();
    port.postMessage('taken');
  });
}
