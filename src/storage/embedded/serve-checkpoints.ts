import type { MessagePort } from 'node:worker_threads';
import { Connection } from './connection.ts';

/** More than it takes until one finds nothing new, unless writes come without a pause. */
const roundsMax = 20;

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
    takeAll(connection);
    port.postMessage('taken');
  });
}

/** Round after round, each takes what was written during the one before it, so that next to nothing is left to the thread that writes. */
function takeAll(connection: Connection): void {
  let before = 0;
  for (let round = 0; round < roundsMax; round += 1) {
    const pages = connection.checkpoint();
    if (pages === null || pages === before) return;
    before = pages;
  }
}
