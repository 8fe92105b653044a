import type { Duplex } from 'node:stream';
import type { Socket } from 'socket.io';

type Connection = Socket['conn'];

/**
 * Lets all packets that engine.io hands over at one time leave in one system call. A message that is taken makes five: the first, its
 * acknowledgement, leaves at once, and the others after it. A system call for each of them was a quarter of what it cost this process.
 */
export function writeFlushesTogether(connection: Connection): void {
  connection.on('flush', cork);
  // Said as soon as they are handed over, whether or not they are written.
  connection.on('drain', uncork);
}

function cork(this: Connection): void {
  streamOf(this)?.cork();
}

function uncork(this: Connection): void {
  streamOf(this)?.uncork();
}

/** Private by its types only; none while the device polls. */
function streamOf({ transport }: Connection): Duplex | undefined {
  return (transport as unknown as { socket?: { _socket?: Duplex | null } }).socket?._socket ?? undefined;
}
