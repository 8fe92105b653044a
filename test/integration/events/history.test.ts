/** `conversation:open` and `history:page`: order, pages, what changed since, and what is being written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function talk(device: WireClient, ...texts: string[]): Promise<void> {
  for (const text of texts) await device.end((await device.say(text)).generationId);
}

describe('history', () => {
  it('is there after a reconnect, in order, without gaps', async () => {
    const { token } = await server.guest();
    {
      await using device = await WireClient.open(server.url, token);
      await talk(device, 'One', 'Two', 'Three');
    }
    await using device = await WireClient.open(server.url, token);
    const opened = await device.call('conversation:open', {});
    expect(opened.messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(opened).toMatchObject({ lastSeq: 6, hasMore: false, activeGenerations: [] });
    expect(device.all('session:ready')[0]).toMatchObject({ lastSeq: 6, rev: opened.conversation.rev });
  });

  it('comes in pages, oldest first', async () => {
    await using device = await openGuest(server);
    await talk(device, 'One', 'Two', 'Three');
    const { conversation, hasMore, messages } = await device.call('conversation:open', { limit: 2 });
    expect([messages.map(({ seq }) => seq), hasMore]).toEqual([[5, 6], true]);
    const { conversationId } = conversation;
    const page = await device.call('history:page', { conversationId, beforeSeq: 5, limit: 3 });
    expect([page.messages.map(({ seq }) => seq), page.hasMore]).toEqual([[2, 3, 4], true]);
    const first = await device.call('history:page', { conversationId, beforeSeq: 2, limit: 3 });
    expect([first.messages.map(({ seq }) => seq), first.hasMore]).toEqual([[1], false]);
  });

  it('tells what changed after a rev, reactions too', async () => {
    await using device = await openGuest(server);
    await talk(device, 'One', 'Two');
    const { conversation, messages } = await device.call('conversation:open', {});
    await device.call('reaction:set', { messageId: messages[1]?.messageId ?? '', kind: 'up' });
    await talk(device, 'Three');
    const changed = await device.call('conversation:open', { afterRev: conversation.rev });
    expect(changed.messages.map(({ seq }) => seq)).toEqual([2, 5, 6]);
    expect(changed.messages.every(({ rev }) => rev > conversation.rev)).toBe(true);
  });

  it('refuses limits out of range', async () => {
    await using device = await openGuest(server);
    for (const limit of [0, 201, 1.5, '5'])
      expect(await device.codeOf('conversation:open', { limit })).toBe('invalid_payload');
    expect(await device.codeOf('history:page', {})).toBe('invalid_payload');
  });
});
