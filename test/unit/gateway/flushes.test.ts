/** What is emitted in one tick is written together. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { io } from 'socket.io-client';
import { expect, it } from 'vitest';
import { writeTicksTogether } from '../../../src/gateway/flushes.ts';

/** Counts how often the stream is asked to write something. */
function countWrites(stream: NetSocket): () => number {
  let writes = 0;
  for (const method of ['_write', '_writev'] as const) {
    const write = stream[method]?.bind(stream) as (...args: readonly unknown[]) => void;
    Object.assign(stream, {
      [method]: (...args: readonly unknown[]) => {
        writes += 1;
        write(...args);
      },
    });
  }
  return () => writes;
}

it('leaves in one write, in its order', async () => {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'] });
  server.engine.on('connection', writeTicksTogether);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const upgraded = once(http, 'upgrade') as Promise<[unknown, NetSocket]>;
  const connected = new Promise<Socket>((resolve) => server.on('connection', resolve));
  const device = io(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
    transports: ['websocket'],
  });
  try {
    const [[, stream], socket] = await Promise.all([upgraded, connected]);
    await once(device as unknown as NodeJS.EventEmitter, 'connect');
    const writes = countWrites(stream);
    const got: number[] = [];
    const all = new Promise<void>((resolve) =>
      device.on('n', (n: number) => {
        got.push(n);
        if (n === 9) resolve();
      }),
    );
    for (let n = 0; n < 10; n += 1) socket.emit('n', n);
    expect(writes()).toBe(0);
    await all;
    expect(got).toStrictEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(writes()).toBe(1);
  } finally {
    device.close();
    await server.close();
  }
});
