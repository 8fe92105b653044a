/** `reaction:set` and `reaction:clear`: one per user and message, on every device, kept. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function aReply(device: WireClient) {
  const sent = await device.say('Hello');
  const { message } = await device.end(sent.generationId);
  return { ...sent, replyId: message.messageId };
}

describe('reactions', () => {
  it('are set, replaced, kept and taken back, and reach the other devices', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { replyId: messageId } = await aReply(phone);
    expect((await phone.call('reaction:set', { messageId, kind: 'up' })).reaction?.kind).toBe('up');
    await phone.call('reaction:set', { messageId, kind: 'love', comment: 'so kind' });
    await tablet.next('reaction:updated', ({ reaction }) => reaction?.kind === 'love');
    const { messages } = await phone.call('conversation:open', {});
    expect(messages[1]?.reaction).toMatchObject({ kind: 'love', comment: 'so kind' });
    expect(await phone.call('reaction:clear', { messageId })).toEqual({ messageId, reaction: null });
    expect(await phone.call('reaction:clear', { messageId })).toEqual({ messageId, reaction: null });
    await tablet.next('reaction:updated', ({ reaction }) => reaction === null);
  });

  it('are a change of their message, which every device is told whole', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { replyId: messageId } = await aReply(phone);
    await phone.call('reaction:set', { messageId, kind: 'up' });
    await phone.call('reaction:clear', { messageId });
    await tablet.next('message:updated', ({ message }) => message.reaction === null);
    const told = tablet.all('message:updated').map(({ message }) => message);
    expect(told.map(({ reaction }) => reaction?.kind)).toEqual(['up', undefined]);
    expect((await phone.call('conversation:open', {})).messages[1]).toEqual(told[1]);
  });

  it('are refused when the kind is unknown, the comment too long, or the message takes none', async () => {
    await using device = await openGuest(server);
    const { replyId, messageId } = await aReply(device);
    expect(await device.codeOf('reaction:set', { messageId: replyId, kind: 'meh' })).toBe('invalid_payload');
    expect(
      await device.codeOf('reaction:set', { messageId: replyId, kind: 'up', comment: 'x'.repeat(1001) }),
    ).toBe('too_large');
    expect(await device.codeOf('reaction:set', { messageId, kind: 'up' })).toBe('unsupported');
    expect(await device.codeOf('reaction:set', { messageId: 'm_none', kind: 'up' })).toBe('not_found');
  });
});
