import { MessageChannel } from 'node:worker_threads';

/** Nobody is at its other end: what is sent there is gone at once. */
const nowhere = openNowhere();

/**
 * Gives the memory of an output back as soon as it has been read; the array is empty then. What a step returns is half a megabyte and more, and
 * every 64 MB of such arrays make V8 look through its whole heap for garbage, more than once a second with ten rows, on threads
 * that the kernels of the next steps need.
 *
 * Sending takes the memory along, also where nobody receives it (HTML standard, "message port post message steps"). `transfer(0)` of the
 * buffer says the same in plain words, but Node 20 has no such method.
 */
export function releaseArray({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  nowhere.postMessage(null, [buffer as ArrayBuffer]);
}

function openNowhere() {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.unref();
  return port1;
}
