/** Whatever is sent, nothing is thrown that nobody catches, nobody else notices, and memory does not grow. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createUniform } from '../../models/tiny/random.ts';
import { hostileFrame } from '../support/hostile-frames.ts';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openGuest } from '../support/wire-client.ts';

const framesMax = process.env['AMITY_TEST_LONG'] === undefined ? 20_000 : 200_000;
const framesOfConnection = 40;
const connectionsAtOnce = 8;
const path = '/socket.io/?EIO=4&transport=websocket';

let server: TestServer;
const uncaught: unknown[] = [];
const note = (error: unknown) => uncaught.push(error);
beforeAll(async () => {
  server = await startTestServer();
  process.on('uncaughtExceptionMonitor', note);
  process.on('unhandledRejection', note);
});
afterEach(() => expect(uncaught).toEqual([]));
afterAll(async () => {
  process.off('uncaughtExceptionMonitor', note);
  process.off('unhandledRejection', note);
  await server[Symbol.asyncDispose]();
});

/** Half of the connections show a token first. */
async function connectAndSend(seed: number, token: string): Promise<number> {
  const uniform = createUniform(seed);
  const socket = await RawWebSocket.open(server.url, path);
  if (seed % 2 === 0) await letIn(socket, token);
  let sent = 0;
  for (; sent < framesOfConnection && socket.isOpen; sent += 1) {
    socket.send(hostileFrame(uniform));
    if (sent % 8 === 7) await new Promise((resolve) => setImmediate(resolve));
  }
  await socket.close();
  return sent;
}

function letIn(socket: RawWebSocket, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.onClose(() => reject(new Error('not let in')));
    socket.onText((text) => {
      if (text.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`);
      if (text.startsWith('42["session:ready"')) resolve();
    });
  });
}

async function figure(pattern: RegExp): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(pattern.exec(metrics)?.[1] ?? 0);
}

it(`${framesMax} mutated frames stop nothing`, { timeout: 1_200_000 }, async () => {
  const { token } = await server.guest();
  await using calm = await openGuest(server);
  let [seed, sent] = [0, 0];
  while (sent < framesMax) {
    const seeds = Array.from({ length: connectionsAtOnce }, () => seed++);
    const counts = await Promise.all(seeds.map((one) => connectAndSend(one, token)));
    sent += counts.reduce((sum, count) => sum + count, 0);
  }
  expect(await figure(/^amity_errors_total\{code="internal"\} (\d+)$/m)).toBe(0);
  expect((await calm.talk('Still there?')).reply.status).toBe('done');
  await expect.poll(() => figure(/^amity_connections (\d+)$/m), { timeout: 30_000 }).toBe(1);
  expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
});

it('bytes that are no frames end their connection alone', async () => {
  await using calm = await openGuest(server);
  const uniform = createUniform(1);
  for (let round = 0; round < 50; round += 1) {
    const socket = await RawWebSocket.open(server.url, path);
    socket.sendBytes(Buffer.from(Array.from({ length: 64 }, () => Math.floor(uniform() * 256))));
    await socket.close();
  }
  expect((await calm.talk('Still there?')).reply.status).toBe('done');
});
