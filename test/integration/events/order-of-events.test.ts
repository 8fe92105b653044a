/** What reaches a socket of one request, and in which order: the acknowledgement first. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientEvent, Payload } from '../../../src/protocol/events.ts';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The names of what comes while a request is answered, until its dots are gone; repetitions in a row once. */
async function namesOf<E extends ClientEvent>(device: WireClient, event: E, payload: Payload<E>) {
  const names: string[] = [];
  const note = (name: string) => {
    if (names.at(-1) !== name) names.push(name);
  };
  device.seen.length = 0;
  device.socket.onAny(note);
  const socket = device.socket as unknown as { emit(event: E, payload: Payload<E>, ack: () => void): void };
  socket.emit(event, payload, () => note('acknowledged'));
  await device.next('typing:update', ({ typing }) => !typing);
  device.socket.offAny(note);
  // It comes with the start of the reply or before it, as the store goes.
  expect(names.filter((name) => name === 'conversation:updated').length).toBeLessThan(2);
  return names.filter((name) => name !== 'conversation:updated');
}

const reply = ['typing:update', 'reply:start', 'reply:delta', 'reply:end', 'typing:update'];
const ids = () => ({ clientMessageId: crypto.randomUUID() });

describe('on the sending socket', () => {
  it('a sent message is acknowledged, told, and answered', async () => {
    await using device = await openGuest(server);
    const names = await namesOf(device, 'message:send', { ...ids(), text: 'Hello' });
    expect(names).toEqual(['acknowledged', 'message:created', ...reply]);
  });

  it('an edit is acknowledged, told, its older versions too, and answered', async () => {
    await using device = await openGuest(server);
    const { messageId } = await device.talk('Hello');
    await device.next('typing:update', ({ typing }) => !typing);
    const names = await namesOf(device, 'message:edit', { ...ids(), messageId, text: 'Hi' });
    expect(names).toEqual(['acknowledged', 'message:created', 'message:updated', ...reply]);
  });

  it('a further reply is acknowledged, the older ones are told, and it is written', async () => {
    await using device = await openGuest(server);
    const { messageId } = (await device.talk('Hello')).reply;
    await device.next('typing:update', ({ typing }) => !typing);
    const clientRequestId = crypto.randomUUID();
    const names = await namesOf(device, 'reply:regenerate', { clientRequestId, messageId });
    expect(names).toEqual(['acknowledged', 'message:updated', ...reply]);
  });

  it('a repeat is acknowledged, and nothing else', async () => {
    await using device = await openGuest(server);
    const { messageId, reply: first } = await device.talk('Hello');
    const edit = { ...ids(), messageId, text: 'Hi' };
    const again = { clientRequestId: crypto.randomUUID(), messageId: first.messageId };
    await device.end((await device.call('message:edit', edit)).generationId);
    await device.end((await device.call('reply:regenerate', again)).generationId);
    const reacted = await device.call('reaction:set', { messageId: first.messageId, kind: 'up' });
    await device.next('message:updated', ({ message }) => message.reaction?.kind === reacted.reaction?.kind);
    device.seen.length = 0;
    expect((await device.call('message:edit', edit)).duplicate).toBe(true);
    expect((await device.call('reply:regenerate', again)).duplicate).toBe(true);
    await device.call('reaction:clear', { messageId: first.messageId });
    await device.next('message:updated', ({ message }) => message.reaction === null);
    expect(device.seen.map(({ event }) => event)).toEqual(['reaction:updated', 'message:updated']);
  });
});

describe('conversation:updated', () => {
  it('comes with a send that names its place, not with one that goes on where the conversation stands', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    await phone.talk('One');
    await phone.talk('Two');
    expect(tablet.all('conversation:updated')).toEqual([]);
    const root = await phone.talk('Root', { parentId: null });
    await tablet.next('conversation:updated', ({ conversation }) => {
      return conversation.selectedLeafId === root.reply.messageId && conversation.lastSeq === 6;
    });
  });
});
