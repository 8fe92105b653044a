/** A device that missed something, or could not be told what it had missed. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AmityClient, createAmityClient } from '../../../src/client/amity-client.ts';
import { until } from './until.ts';
import { WireDouble } from './wire-double.ts';

let wire: WireDouble;
let client: AmityClient;

beforeEach(async () => {
  wire = await WireDouble.start();
  wire.addMessage('user', 'Hello');
  client = createAmityClient({ url: wire.url, auth: { token: 't' }, reconnectDelayMs: 10 });
  await until(client, ({ synced }) => synced);
});
afterEach(async () => {
  client.close();
  await wire[Symbol.asyncDispose]();
});

const opens = () => wire.received.filter(({ event }) => event === 'conversation:open');

test('what it is told to have missed is read from there on, also where it knows of later changes', async () => {
  const before = client.getSnapshot().rev;
  wire.addMessage('companion', 'Nobody heard this');
  const later = wire.addMessage('user', 'This was heard');
  wire.emit('message:created', { message: later });
  await until(client, ({ rev }) => rev === later.rev);
  wire.emit('conversation:gap', { conversationId: later.conversationId, afterRev: before });
  const { messages } = await until(client, ({ messages }) => messages.length === 3);
  expect(messages.map(({ text }) => text)).toEqual(['Hello', 'Nobody heard this', 'This was heard']);
  expect(opens().at(-1)?.payload).toMatchObject({ afterRev: before });
});

test('what was missed in another conversation is left to whoever shows it', async () => {
  const asked = opens().length;
  wire.emit('conversation:gap', { conversationId: 'another', afterRev: 0 });
  // What comes after it shows that it has been heard.
  wire.emit('message:created', { message: wire.addMessage('user', 'Later') });
  const { synced } = await until(client, ({ messages }) => messages.length === 2);
  expect(synced).toBe(true);
  // Requests arrive in order: one that the gap had caused would be there before this.
  await client.reload();
  expect(opens()).toHaveLength(asked + 1);
});

test('it asks again until the server can tell, and then sends what has waited', async () => {
  wire.failOnce.set('conversation:open', {
    code: 'store_unavailable',
    message: 'The store is locked.',
    retryable: true,
  });
  wire.emit('conversation:gap', { conversationId: 'c1', afterRev: 0 });
  await until(client, ({ fault }) => fault?.about === 'open');
  client.send('Are you there?');
  const { fault, synced } = await until(client, ({ outgoing }) => outgoing.length === 0);
  expect({ fault, synced }).toEqual({ fault: null, synced: true });
});

test('it leaves a refusal that will not change to the person', async () => {
  const asked = opens().length;
  wire.failOnce.set('conversation:open', { code: 'not_found', message: 'Gone.', retryable: false });
  wire.emit('conversation:gap', { conversationId: 'c1', afterRev: 0 });
  await until(client, ({ fault }) => fault?.about === 'open');
  await client.reload();
  expect(opens()).toHaveLength(asked + 2);
});
