/** Edits, further replies, alternatives and branches over a real Socket.IO connection to a double of the wire. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AmityClient, createAmityClient } from '../../../src/client/amity-client.ts';
import { isCompanionWriting } from '../../../src/client/shown.ts';
import type { ConversationState } from '../../../src/client/state.ts';
import type { WireError } from '../../../src/protocol/errors.ts';
import { until as untilState } from './until.ts';
import { WireDouble } from './wire-double.ts';

let wire: WireDouble;
let client: AmityClient;

/** Two turns: Hello, Hi, How are you?, Fine. */
beforeEach(async () => {
  wire = await WireDouble.start();
  for (const text of ['Hello', 'Hi', 'How are you?', 'Fine'])
    wire.addMessage(wire.messages.length % 2 === 0 ? 'user' : 'companion', text);
});

afterEach(async () => {
  client.close();
  await wire[Symbol.asyncDispose]();
});

const until = (isIt: (state: ConversationState) => boolean) => untilState(client, isIt);
const isSynced = (state: ConversationState) => state.synced;
const texts = ({ messages }: ConversationState) => messages.map(({ text }) => text);
const refusal = (code: WireError['code']): WireError => ({ code, message: code, retryable: true });

async function connect(options: { ackTimeoutMs?: number } = {}): Promise<void> {
  client = createAmityClient({ url: wire.url, auth: { token: 't' }, reconnectDelayMs: 10, ...options });
  await until(isSynced);
}

/** The newest reply starts, says this and ends. */
function answer(text: string): void {
  const reply = wire.replies.at(-1)!;
  wire.startReply(reply);
  wire.say(reply, text);
  wire.endReply(reply);
}

const isStored = (state: ConversationState) => state.outgoing.length === 0;
const isQuiet = (state: ConversationState) => isStored(state) && Object.keys(state.replies).length === 0;

test('an edit shows at once in the place of the message and of all that followed it', async () => {
  await connect();
  const key = client.edit('m1', 'Good morning');
  expect(client.getSnapshot().messages).toMatchObject([{ key, text: 'Good morning', delivery: 'sending' }]);
  await until(isStored);
  answer('Morning!');
  const state = await until(isQuiet);
  expect(texts(state)).toEqual(['Good morning', 'Morning!']);
  expect(state.messages[0]).toMatchObject({
    key,
    siblings: { index: 1, count: 2, previousId: 'm1', nextId: null },
  });
});

test('a reply that is written anew makes way at once, and the old one stays a version of it', async () => {
  await connect();
  client.regenerate('m4');
  expect(texts(client.getSnapshot())).toEqual(['Hello', 'Hi', 'How are you?']);
  expect(isCompanionWriting(client.getSnapshot())).toBe(true);
  await until(isStored);
  answer('Great');
  const state = await until(isQuiet);
  expect(texts(state)).toEqual(['Hello', 'Hi', 'How are you?', 'Great']);
  expect(state.messages[3]?.siblings).toEqual({ index: 1, count: 2, previousId: 'm4', nextId: null });
  await client.selectBranch('m4');
  expect(texts(client.getSnapshot())).toEqual(['Hello', 'Hi', 'How are you?', 'Fine']);
  expect(client.getSnapshot().messages[3]?.siblings).toMatchObject({ nextId: 'm5' });
});

test.each([
  ['edit', 'message:edit', () => client.edit('m3', 'And you?')],
  ['regenerate', 'reply:regenerate', () => client.regenerate('m4')],
] as const)(
  'a refused %s changes nothing that is shown and is told at its message',
  async (kind, event, ask) => {
    await connect();
    wire.failOnce.set(event, refusal('overloaded'));
    const clientId = ask();
    const state = await until(({ outgoing }) => outgoing[0]?.delivery === 'failed');
    expect(texts(state)).toEqual(['Hello', 'Hi', 'How are you?', 'Fine']);
    const { refused } = state.messages[kind === 'edit' ? 2 : 3]!;
    expect(refused).toMatchObject({ kind, clientId, error: { code: 'overloaded' } });
    client.retry(clientId);
    await until(isStored);
    expect(wire.messages).toHaveLength(kind === 'edit' ? 6 : 5);
  },
);

test('what was refused can be forgotten', async () => {
  await connect();
  wire.failOnce.set('reply:regenerate', refusal('overloaded'));
  const clientId = client.regenerate('m4');
  await until(({ outgoing }) => outgoing[0]?.delivery === 'failed');
  client.discard(clientId);
  expect(client.getSnapshot()).toMatchObject({ outgoing: [] });
  expect(client.getSnapshot().messages[3]?.refused).toBeNull();
});

test.each([
  ['edit', 'message:edit', () => client.edit('m3', 'And you?')],
  ['regenerate', 'reply:regenerate', () => client.regenerate('m4')],
] as const)(
  'a %s that met silence goes out again under its id and happens once',
  async (_kind, event, ask) => {
    await connect({ ackTimeoutMs: 50 });
    wire.silentOnce.add(event);
    ask();
    await until(({ connection }) => connection.state === 'offline');
    await until((state) => state.synced && isStored(state));
    const ids = wire.received
      .filter((one) => one.event === event)
      .map(({ payload }) => JSON.stringify(payload));
    expect(new Set(ids).size).toBe(1);
    expect(wire.replies).toHaveLength(1);
    answer('Once');
    expect(texts(await until(isQuiet)).at(-1)).toBe('Once');
  },
);

test('the same edit after two silences is the same request', async () => {
  await connect({ ackTimeoutMs: 50 });
  wire.dropOnce.add('message:edit');
  const first = client.edit('m3', 'And you?');
  await until(({ connection }) => connection.state === 'offline');
  wire.dropOnce.add('message:edit');
  await until(({ outgoing }) => outgoing[0]?.delivery === 'failed');
  expect(client.edit('m3', 'And you?')).toBe(first);
  await until(isStored);
  expect(wire.replies).toHaveLength(1);
});

test('live events of other branches do not leak into the view', async () => {
  await connect();
  client.regenerate('m4');
  await until(isStored);
  const further = wire.replies.at(-1)!;
  wire.startReply(further);
  wire.say(further, 'Gre');
  await until((state) => texts(state).includes('Gre'));
  await client.selectBranch('m4');
  wire.say(further, 'at');
  wire.endReply(further);
  const state = await until(isQuiet);
  expect(texts(state)).toEqual(['Hello', 'Hi', 'How are you?', 'Fine']);
});

test('whoever comes back to a branch where a reply runs reads it from the start', async () => {
  await connect();
  client.regenerate('m4');
  await until(isStored);
  const further = wire.replies.at(-1)!;
  wire.startReply(further);
  wire.say(further, 'one ');
  await until((state) => texts(state).includes('one '));
  await client.selectBranch('m4');
  wire.say(further, 'two ');
  await client.selectBranch('m5');
  await until((state) => texts(state).includes('one two '));
  wire.say(further, 'three');
  await until((state) => texts(state).includes('one two three'));
});

test('a branch that another device selects is read and shown', async () => {
  await connect();
  const aside = wire.addMessage('user', 'Something else', 'm2');
  wire.select(aside.messageId);
  const state = await until((now) => texts(now).includes('Something else'));
  expect(texts(state)).toEqual(['Hello', 'Hi', 'Something else']);
});

test('older pages are of the selected branch', async () => {
  wire.addMessage('companion', 'Not this one', 'm3');
  wire.leafId = 'm4';
  wire.pageSize = 2;
  await connect();
  expect(texts(client.getSnapshot())).toEqual(['How are you?', 'Fine']);
  await client.loadOlder();
  expect(texts(client.getSnapshot())).toEqual(['Hello', 'Hi', 'How are you?', 'Fine']);
  expect(client.getSnapshot().hasOlder).toBe(false);
});

test('older pages that were read stay when a version below them is switched', async () => {
  wire.pageSize = 2;
  await connect();
  await client.loadOlder();
  client.regenerate('m4');
  await until(isStored);
  answer('Great');
  await until(isQuiet);
  await client.selectBranch('m4');
  expect(texts(client.getSnapshot())).toEqual(['Hello', 'Hi', 'How are you?', 'Fine']);
});

const alternatives = [
  { candidateId: 'a', text: 'Fine', rank: 1, shown: true },
  { candidateId: 'b', text: 'So so', rank: 2, shown: false },
];

test('an alternative takes the place of the reply at once, and its reaction goes', async () => {
  wire.alternatives.set('m4', alternatives);
  await connect();
  await client.react('m4', 'up');
  expect(await client.alternatives('m4')).toEqual({ ok: true, value: alternatives });
  const chosen = client.choose('m4', 'b');
  expect(client.getSnapshot().messages[3]).toMatchObject({ text: 'So so', reaction: null });
  await chosen;
  expect(client.getSnapshot().alternatives['m4']?.map(({ shown }) => shown)).toEqual([false, true]);
  expect(wire.messages[3]).toMatchObject({ text: 'So so', reaction: null });
});

test('a refused choice is taken back and told', async () => {
  wire.alternatives.set('m4', alternatives);
  await connect();
  await client.react('m4', 'up');
  await client.alternatives('m4');
  wire.failOnce.set('reply:choose', refusal('store_unavailable'));
  await client.choose('m4', 'b');
  expect(client.getSnapshot()).toMatchObject({ fault: { about: 'choose' } });
  expect(client.getSnapshot().messages[3]).toMatchObject({ text: 'Fine', reaction: { kind: 'up' } });
});

test('why alternatives cannot be had is told to whoever asked, and nowhere else', async () => {
  await connect();
  wire.failOnce.set('reply:alternatives', refusal('store_unavailable'));
  expect(await client.alternatives('m4')).toMatchObject({ ok: false, error: { code: 'store_unavailable' } });
  expect(client.getSnapshot().fault).toBeNull();
});

test('a branch that cannot be selected leaves the view as it was', async () => {
  await connect();
  wire.failOnce.set('branch:select', refusal('store_unavailable'));
  await client.selectBranch('m2');
  expect(client.getSnapshot()).toMatchObject({ fault: { about: 'branch' } });
  expect(texts(client.getSnapshot())).toHaveLength(4);
});
