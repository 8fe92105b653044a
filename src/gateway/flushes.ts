/**
 * What a connection is given within one tick leaves in one system call. A message that is taken makes five packets, its acknowledgement
 * first; engine.io's system call for each of them was a quarter of what the message cost this process.
 */
import type { Duplex } from 'node:stream';
import type { Socket } from 'socket.io';

type Connection = Socket['conn'];
type Transport = Connection['transport'];

/** Those that are written to at the end of this tick. */
const held = new WeakSet<Transport>();

export function writeTicksTogether(connection: Connection): void {
  connection.on('packetCreate', hold);
  connection.on('flush', cork);
  // Said as soon as the packets are handed over, whether or not they are written.
  connection.on('drain', uncork);
}

/** Whether what waits to be written waits for the end of this tick, and for nothing else. */
export function isHeld({ transport }: Connection): boolean {
  return held.has(transport);
}

function hold(this: Connection): void {
  const { transport } = this;
  if (!transport.writable || transport.name !== 'websocket') return;
  transport.writable = false;
  held.add(transport);
  process.nextTick(release, transport);
}

function release(transport: Transport): void {
  held.delete(transport);
  transport.writable = true;
  transport.emit('ready');
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
