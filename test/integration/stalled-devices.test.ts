/** A device that does not read is cut off, not buffered for without end, and finds everything when it is back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openGuest, WireClient } from '../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The WebSocket below a device. */
function transportOf(device: WireClient): { pause(): void; resume(): void } {
  const { transport } = device.socket.io.engine;
  return (transport as unknown as { ws: { pause(): void; resume(): void } }).ws;
}

async function connections(): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^amity_connections (\d+)$/m.exec(metrics)?.[1]);
}

it('is cut off when more waits for it than a slow device could need', async () => {
  await using phone = await openGuest(server);
  await using stalled = await WireClient.open(server.url, phone.token);
  const { conversationId } = await phone.talk('Hello');
  transportOf(stalled).pause();
  let renamed = 0;
  // Until the buffers of the operating system are full, and then ours.
  while ((await connections()) === 2 && renamed < 40_000) {
    const titles = Array.from({ length: 200 }, () => `${renamed++} ${'x'.repeat(180)}`);
    await Promise.all(titles.map((title) => phone.call('conversation:rename', { conversationId, title })));
  }
  expect(await connections()).toBe(1);
  const lost = new Promise((resolve) => stalled.socket.once('disconnect', resolve));
  transportOf(stalled).resume();
  await lost;
  expect(stalled.all('conversation:updated').length).toBeLessThan(renamed);
  await using back = await WireClient.open(server.url, phone.token);
  const { conversation } = await back.call('conversation:open', {});
  expect(conversation.title).toBe(`${renamed - 1} ${'x'.repeat(180)}`);
});
