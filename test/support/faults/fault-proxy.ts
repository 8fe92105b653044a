/** A link that fails where it is told to: at a byte of what the server sends, in one of the ways in which links fail. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * `reset`: both ends are told at once. `close`: the connection ends as if the peer had hung up. `slow close`: the bytes that are left come one by
 * one before that. `black hole`: nothing comes any more, and nobody is told.
 */
export const faultKinds = ['reset', 'close', 'slow close', 'black hole'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Bytes that the server may still send through the connection. */
  readonly afterBytes: number;
}

export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** Faults that have happened. */
  readonly happened: readonly FaultKind[];
  /** The connection that is open fails as is drawn, or the next one; then another one is drawn, until it is null. */
  failEach(draw: () => Fault | null): void;
  /** All connections that are open become black holes. */
  swallowAll(): void;
}

/** Bytes of a slow close that still come. */
const slowBytesMax = 20;
const slowByteMs = 5;

/** @param latencyMs how much later everything arrives, in both directions */
export async function openFaultProxy(target: string, latencyMs = 0): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const swallow = new Set<() => void>();
  const happened: FaultKind[] = [];
  let draw: () => Fault | null = () => null;
  let next: { readonly kind: FaultKind; left: number } | null = null;
  const arm = () => {
    const fault = draw();
    next = fault === null ? null : { kind: fault.kind, left: fault.afterBytes };
  };

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let isDead = false;
    const vanish = () => {
      isDead = true;
    };
    swallow.add(vanish);
    upstream.once('close', () => swallow.delete(vanish));
    const destroy = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', destroy);
      socket.on('close', () => {
        open.delete(socket);
        // Of a black hole the other end hears nothing.
        if (!isDead) later(destroy);
      });
    }
    const later = (work: () => void) => {
      if (latencyMs === 0) work();
      else setTimeout(work, latencyMs);
    };
    const fail = async (kind: FaultKind, rest: Buffer) => {
      isDead = true;
      happened.push(kind);
      if (kind === 'black hole') return;
      if (kind === 'slow close') await trickle(client, rest.subarray(0, slowBytesMax));
      if (kind === 'reset') client.resetAndDestroy();
      else client.end();
      upstream.destroy();
    };
    client.on('data', (chunk) => {
      if (!isDead) later(() => upstream.write(chunk));
    });
    upstream.on('data', (chunk) => {
      if (isDead) return;
      const fault = next;
      if (fault === null || fault.left > chunk.length) {
        if (fault !== null) fault.left -= chunk.length;
        later(() => client.write(chunk));
        return;
      }
      arm();
      client.write(chunk.subarray(0, fault.left));
      void fail(fault.kind, chunk.subarray(fault.left));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    happened,
    failEach: (drawn) => {
      draw = drawn;
      arm();
    },
    swallowAll: () => {
      for (const vanish of swallow) vanish();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => setTimeout(resolve, slowByteMs));
  }
}
