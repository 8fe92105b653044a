/**
 * The client SDK over a real Socket.IO connection to a double of the wire. Each test waits for a state of the client,
 * never for time.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AmityClient, createAmityClient } from '../../../src/client/amity-client.ts';
import type { ConversationState } from '../../../src/client/state.ts';
import type { WireError } from '../../../src/protocol/errors.ts';
import { until as untilState } from './until.ts';
import { type Reply, WireDouble } from './wire-double.ts';

let wire: WireDouble;
let client: AmityClient;

beforeEach(async () => {
  wire = await WireDouble.start();
});

afterEach(async () => {
  client.close();
  await wire[Symbol.asyncDispose]();
});

function connect(options: { ackTimeoutMs?: number; reconnectDelayMs?: number } = {}): void {
  client = createAmityClient({ url: wire.url, auth: { token: 't' }, reconnectDelayMs: 10, ...options });
}

const until = (isIt: (state: ConversationState) => boolean) => untilState(client, isIt);
const isSynced = (state: ConversationState) => state.synced;
const texts = (state: ConversationState) => state.messages.map(({ text }) => text);
const names = () => wire.received.map(({ event }) => event);
const refusal = (code: WireError['code'], retryable: boolean): WireError => ({
  code,
  message: code,
  retryable,
});

/** Sends and returns the reply that waits for its first word. */
async function ask(text: string): Promise<Reply> {
  client.send(text);
  await until((state) => state.messages.some((message) => message.text === text && message.rev > 0));
  return wire.replies.at(-1)!;
}

test('the history is there after the connect', async () => {
  wire.addMessage('user', 'Hello');
  wire.addMessage('companion', 'Hi there');
  connect();
  const state = await until(isSynced);
  expect(state.connection).toEqual({ state: 'online' });
  expect(texts(state)).toEqual(['Hello', 'Hi there']);
  expect(state.hasOlder).toBe(false);
  expect(wire.handshakes).toEqual([{ token: 't', protocolVersion: 1 }]);
});

test('a device comes back from a server that stops when it was told to', async () => {
  // By itself it would try again after a minute.
  connect({ reconnectDelayMs: 60_000 });
  await until(isSynced);
  wire.emit('server:draining', { reconnectInMs: 0 });
  wire.cut();
  await until(({ connection }) => connection.state === 'offline');
  await until(isSynced);
  expect(wire.handshakes).toHaveLength(2);
});

test('a message shows at once and is stored under the id it was shown with', async () => {
  connect();
  await until(isSynced);
  const key = client.send('Hello');
  expect(client.getSnapshot().messages).toMatchObject([{ key, delivery: 'sending', seq: null }]);
  const state = await until(({ messages }) => messages[0]?.rev !== 0);
  expect(state.messages).toMatchObject([{ key, delivery: 'sent', seq: 1, text: 'Hello' }]);
  expect(Object.keys(state.replies)).toEqual(['g1']);
});

test('a reply grows word by word and ends as what the server stored', async () => {
  connect();
  await until(isSynced);
  const reply = await ask('Hello');
  wire.startReply(reply);
  wire.say(reply, 'Hi ');
  wire.say(reply, 'there');
  const live = await until((state) => texts(state).includes('Hi there'));
  expect(live.messages.at(-1)).toMatchObject({ status: 'running', seq: 2 });
  wire.endReply(reply);
  const ended = await until(({ replies }) => Object.keys(replies).length === 0);
  expect(ended.messages.at(-1)).toMatchObject({ status: 'done', text: 'Hi there', finishReason: 'stop' });
});

test('a lost delta is fetched by generation:resume and nothing is doubled', async () => {
  connect();
  await until(isSynced);
  const reply = await ask('Hello');
  wire.startReply(reply);
  wire.say(reply, 'one ');
  wire.say(reply, 'two ', true);
  wire.say(reply, 'three ');
  const mended = await until((state) => texts(state).includes('one two three '));
  expect(Object.values(mended.replies)).toMatchObject([{ hole: false }]);
  wire.say(reply, 'four');
  await until((state) => texts(state).includes('one two three four'));
  expect(names().filter((name) => name === 'generation:resume')).toHaveLength(1);
});

test('a reply that ran on while the connection was lost is whole after it', async () => {
  connect();
  await until(isSynced);
  const reply = await ask('Hello');
  wire.startReply(reply);
  wire.say(reply, 'one ');
  await until((state) => texts(state).includes('one '));
  wire.cut();
  await until(({ connection }) => connection.state === 'offline');
  wire.say(reply, 'two ');
  await until(isSynced);
  wire.say(reply, 'three');
  const state = await until((now) => texts(now).includes('one two three'));
  expect(state.messages).toHaveLength(2);
  expect(wire.received.filter(({ event }) => event === 'conversation:open')).toMatchObject([
    { payload: {} },
    { payload: { afterRev: expect.any(Number) } },
  ]);
});

test('a reply that ended while the connection was lost is not left running', async () => {
  connect();
  await until(isSynced);
  const reply = await ask('Hello');
  wire.startReply(reply);
  wire.say(reply, 'one ');
  await until((state) => texts(state).includes('one '));
  wire.cut();
  await until(({ connection }) => connection.state === 'offline');
  wire.say(reply, 'two');
  wire.endReply(reply);
  const state = await until(isSynced);
  expect(state.messages.at(-1)).toMatchObject({ text: 'one two', status: 'done' });
  expect(state.replies).toEqual({});
});

test('what was typed while offline goes out once and in order', async () => {
  connect();
  await until(isSynced);
  wire.cut();
  await until(({ connection }) => connection.state === 'offline');
  client.send('first');
  client.send('second');
  expect(client.getSnapshot().messages).toMatchObject([{ delivery: 'sending' }, { delivery: 'sending' }]);
  await until(({ messages }) => messages.every(({ delivery }) => delivery === 'sent'));
  expect(wire.messages.filter(({ role }) => role === 'user').map(({ text }) => text)).toEqual([
    'first',
    'second',
  ]);
});

test('a message whose acknowledgement got lost is not stored twice', async () => {
  connect();
  await until(isSynced);
  wire.silentOnce.add('message:send');
  client.send('Hello');
  // message:created arrives although the acknowledgement does not.
  await until(({ messages }) => messages[0]?.delivery === 'sent');
  wire.cut();
  await until(({ connection }) => connection.state === 'offline');
  const state = await until(isSynced);
  expect(texts(state).filter((text) => text === 'Hello')).toHaveLength(1);
  expect(wire.messages.filter(({ role }) => role === 'user')).toHaveLength(1);
});

test('a refused message says why and keeps its id when it is tried again', async () => {
  connect();
  await until(isSynced);
  wire.failOnce.set('message:send', refusal('model_unavailable', true));
  const key = client.send('Hello');
  const failed = await until(({ messages }) => messages[0]?.delivery === 'failed');
  expect(failed.messages[0]?.error).toMatchObject({ code: 'model_unavailable', retryable: true });
  client.retry(key);
  await until(({ messages }) => messages[0]?.delivery === 'sent');
  expect(wire.messages[0]).toMatchObject({ clientMessageId: key, text: 'Hello' });
});

test('a connection that does not answer is given up, and the message goes out again on a new one', async () => {
  connect({ ackTimeoutMs: 50 });
  await until(isSynced);
  wire.dropOnce.add('message:send');
  client.send('Hello');
  await until(({ messages }) => messages[0]?.delivery === 'sent');
  expect(wire.messages.filter(({ role }) => role === 'user')).toHaveLength(1);
});

test('a server that does not answer twice fails the message', async () => {
  connect({ ackTimeoutMs: 50 });
  await until(isSynced);
  wire.dropOnce.add('message:send');
  client.send('Hello');
  await until(({ connection }) => connection.state === 'offline');
  wire.dropOnce.add('message:send');
  const state = await until(({ messages }) => messages[0]?.delivery === 'failed');
  expect(state.messages[0]?.error?.code).toBe('timeout');
});

test('a failed reply keeps its text and its reason', async () => {
  connect();
  await until(isSynced);
  const reply = await ask('Hello');
  wire.startReply(reply);
  wire.say(reply, 'Once upon');
  wire.endReply(reply, refusal('generation_failed', true));
  const state = await until(({ replies }) => Object.keys(replies).length === 0);
  expect(state.messages.at(-1)).toMatchObject({
    text: 'Once upon',
    status: 'failed',
    error: { code: 'generation_failed' },
  });
});

test('a reaction shows at once, and a refused one is taken back', async () => {
  wire.addMessage('companion', 'Hi');
  connect();
  await until(isSynced);
  const done = client.react('m1', 'love');
  expect(client.getSnapshot().messages[0]?.reaction?.kind).toBe('love');
  await done;
  expect(wire.messages[0]?.reaction?.kind).toBe('love');
  wire.failOnce.set('reaction:set', refusal('store_unavailable', true));
  await client.react('m1', 'down');
  expect(client.getSnapshot().messages[0]?.reaction?.kind).toBe('love');
  expect(client.getSnapshot().fault).toMatchObject({
    about: 'reaction',
    error: { code: 'store_unavailable' },
  });
  await client.clearReaction('m1');
  expect(client.getSnapshot()).toMatchObject({ fault: null, messages: [{ reaction: null }] });
});

test('older pages come in front, once, until there are none', async () => {
  for (let n = 1; n <= 5; n += 1) wire.addMessage(n % 2 === 1 ? 'user' : 'companion', `${n}`);
  wire.pageSize = 2;
  connect();
  const state = await until(isSynced);
  expect(texts(state)).toEqual(['4', '5']);
  await Promise.all([client.loadOlder(), client.loadOlder()]);
  expect(texts(client.getSnapshot())).toEqual(['2', '3', '4', '5']);
  await client.loadOlder();
  await client.loadOlder();
  expect(texts(client.getSnapshot())).toEqual(['1', '2', '3', '4', '5']);
  expect(names().filter((name) => name === 'history:page')).toHaveLength(2);
});

test('when too much was missed the newest page takes the place of what is held', async () => {
  wire.addMessage('user', 'old');
  connect();
  await until(isSynced);
  wire.cut();
  await until(({ connection }) => connection.state === 'offline');
  for (let n = 1; n <= 4; n += 1) wire.addMessage('companion', `${n}`);
  wire.pageSize = 2;
  wire.missedTooMuch = true;
  const state = await until(isSynced);
  expect(texts(state)).toEqual(['3', '4']);
  expect(state.hasOlder).toBe(true);
});

test('a refused token is asked for again once, with the reason', async () => {
  wire.refusals.push(refusal('token_expired', false));
  const asked: (string | null)[] = [];
  const auth = (refused: string | null) => {
    asked.push(refused);
    return Promise.resolve(`t${asked.length}`);
  };
  client = createAmityClient({ url: wire.url, auth, reconnectDelayMs: 10 });
  await until(isSynced);
  expect(asked).toEqual([null, 'token_expired']);
  expect(wire.handshakes).toMatchObject([{ token: 't1' }, { token: 't2' }]);
});

test('a token that stays refused is said, and reconnect() tries again', async () => {
  wire.refusals.push(refusal('unauthenticated', false));
  connect();
  const state = await until(({ connection }) => connection.state === 'refused');
  expect(state.connection).toMatchObject({ error: { code: 'unauthenticated' } });
  client.reconnect();
  await until(isSynced);
});

test('a refusal that passes is tried again without being asked', async () => {
  wire.refusals.push({ ...refusal('shutting_down', true), retryAfterMs: 1 });
  connect();
  await until(isSynced);
  expect(wire.handshakes).toHaveLength(2);
});

test('an open that fails is said and can be tried again', async () => {
  wire.addMessage('user', 'Hello');
  wire.failOnce.set('conversation:open', refusal('store_unavailable', true));
  connect();
  const state = await until(({ fault }) => fault !== null);
  expect(state).toMatchObject({ loaded: false, fault: { about: 'open' } });
  await client.reload();
  expect(client.getSnapshot()).toMatchObject({ loaded: true, fault: null, messages: [{ text: 'Hello' }] });
});

test('the companion stops typing by itself when the renewal stays away', async () => {
  connect();
  await until(isSynced);
  wire.emit('typing:update', { conversationId: 'c1', who: 'companion', typing: true, ttlMs: 5 });
  await until(({ companionTyping }) => companionTyping);
  await until(({ companionTyping }) => !companionTyping);
});
