/** What is deleted on one device disappears on the others, also on those that were away: the SDK on a real server. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type AmityClient, createAmityClient } from '../../src/client/amity-client.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';
import { openGuest } from '../support/wire-client.ts';
import { until } from '../unit/client/until.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let client: AmityClient | undefined;
afterEach(() => client?.close());

async function pair(url = server.url) {
  const phone = await openGuest(server);
  const opened = createAmityClient({ url, auth: { token: phone.token }, reconnectDelayMs: 10 });
  client = opened;
  return { phone, client: opened, shows: (texts: string[]) => until(opened, shown(texts)) };
}

const shown = (texts: string[]) => (state: ReturnType<AmityClient['getSnapshot']>) =>
  state.synced && JSON.stringify(state.messages.map(({ text }) => text)) === JSON.stringify(texts);

test('a message and what hangs below it go, and the branch that is left is shown', async () => {
  const { phone, shows } = await pair();
  await using _ = phone;
  const first = await phone.talk('One');
  const second = await phone.talk('Two');
  await shows(['One', first.reply.text, 'Two', second.reply.text]);
  await phone.call('message:delete', { messageId: second.messageId });
  await shows(['One', first.reply.text]);
  await phone.call('message:delete', { messageId: first.messageId });
  await shows([]);
  const third = await phone.talk('Three');
  await shows(['Three', third.reply.text]);
});

test('the older version comes back when the newer one is deleted', async () => {
  const { phone, shows } = await pair();
  await using _ = phone;
  const first = await phone.talk('One');
  const { messageId, generationId } = await phone.edit(first.messageId, 'Another one');
  const { message } = await phone.end(generationId);
  await shows(['Another one', message.text]);
  await phone.call('message:delete', { messageId });
  const state = await shows(['One', first.reply.text]);
  expect(state.messages[0]?.siblings).toMatchObject({ index: 0, count: 1 });
});

test('a device that was cut off before it heard of it finds out when it is back', async () => {
  await using proxy = await openTcpProxy(server.url);
  const { phone, shows } = await pair(proxy.url);
  await using _ = phone;
  const first = await phone.talk('One');
  const second = await phone.talk('Two');
  await shows(['One', first.reply.text, 'Two', second.reply.text]);
  proxy.cutAt(/message:deleted/);
  await phone.call('message:delete', { messageId: second.messageId });
  await shows(['One', first.reply.text]);
  expect(proxy.connections()).toBe(2);
});

test('a new conversation takes the place of the one that was deleted', async () => {
  const { phone, client: device, shows } = await pair();
  await using _ = phone;
  const { conversationId, reply } = await phone.talk('One');
  await shows(['One', reply.text]);
  await phone.call('conversation:delete', { conversationId });
  const state = await until(device, (now) => now.synced && now.conversationId !== conversationId);
  expect(state.messages).toEqual([]);
  device.send('Hello again');
  await until(device, (now) => now.messages.length === 2 && now.messages[1]?.status === 'done');
});
