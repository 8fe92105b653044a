/** Several conversations: made, listed, named, read and deleted, on every device of the user. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const uuid = () => crypto.randomUUID();

describe('conversation:create', () => {
  it('makes one that is talked in beside the default one, and follows it', async () => {
    await using device = await openGuest(server);
    const first = await device.talk('Hello');
    const { conversation } = await device.call('conversation:create', { title: ' Plans e\u0301 ' });
    const { conversationId } = conversation;
    expect(conversation).toMatchObject({ title: 'Plans é', personaId: null, lastSeq: 0, preview: null });
    const { generationId, reply } = await device.talk('Elsewhere', { conversationId });
    expect(device.textOf(generationId)).toBe(reply.text);
    expect([reply.conversationId, reply.seq]).toEqual([conversationId, 2]);
    expect((await device.call('conversation:open', {})).conversation.conversationId).toBe(
      first.conversationId,
    );
  });

  it('knows the persona that there is, and no other', async () => {
    await using device = await openGuest(server);
    const { conversation } = await device.call('conversation:create', { personaId: 'amity' });
    expect(conversation.personaId).toBe('amity');
    expect(await device.codeOf('conversation:create', { personaId: 'nobody' })).toBe('not_found');
  });

  it.each([
    [{ title: '' }, 'invalid_payload'],
    [{ title: ' \u200b' }, 'invalid_payload'],
    [{ title: '\ud800' }, 'invalid_payload'],
    [{ title: null }, 'invalid_payload'],
    [{ title: 'x'.repeat(201) }, 'too_large'],
    [{ personaId: '../x' }, 'invalid_payload'],
    [{ titel: 'x' }, 'invalid_payload'],
  ])('refuses %j as %s', async (payload, code) => {
    await using device = await openGuest(server);
    expect(await device.codeOf('conversation:create', payload)).toBe(code);
    expect((await device.call('conversation:list', {})).conversations).toHaveLength(1);
  });
});

describe('conversation:list', () => {
  it('gives page after page, the one changed last first', async () => {
    await using device = await openGuest(server);
    const made: string[] = [];
    for (const title of ['a', 'b', 'c'])
      made.push((await device.call('conversation:create', { title })).conversation.conversationId);
    await device.talk('Hello', { conversationId: made[0] ?? '' });
    const first = await device.call('conversation:list', { limit: 2 });
    expect(first.conversations[0]).toMatchObject({ conversationId: made[0], title: 'a' });
    expect(first.conversations[0]?.preview?.role).toBe('companion');
    const rest = await device.call('conversation:list', { limit: 2, cursor: first.nextCursor ?? '' });
    expect(rest.nextCursor).toBeNull();
    const all = [...first.conversations, ...rest.conversations].map(({ conversationId }) => conversationId);
    expect(new Set(all).size).toBe(4);
  });

  it.each(['', 'x', 'W10', 'bnVsbA', Buffer.from('[1,2]').toString('base64url'), 7, null, { $gt: '' }])(
    'refuses the cursor %j',
    async (cursor) => {
      await using device = await openGuest(server);
      expect(await device.codeOf('conversation:list', { cursor })).toBe('invalid_payload');
    },
  );
});

describe('conversation:rename and conversation:read', () => {
  it('reach every device once, and change nothing when repeated', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { conversationId } = await phone.talk('Hello');
    const { conversation } = await phone.call('conversation:rename', { conversationId, title: 'Us' });
    await phone.call('conversation:rename', { conversationId, title: 'Us' });
    await tablet.call('conversation:read', { conversationId, seq: 2 });
    await tablet.call('conversation:read', { conversationId, seq: 1 });
    await tablet.call('conversation:rename', { conversationId, title: 'Last' });
    await phone.next('conversation:updated', (update) => update.conversation.title === 'Last');
    const told = phone.all('conversation:updated').map((update) => update.conversation);
    expect(told.map(({ title, lastReadSeq }) => [title, lastReadSeq])).toEqual([
      ['Us', 0],
      ['Us', 2],
      ['Last', 2],
    ]);
    expect(told[0]).toEqual(conversation);
  });
});

describe('conversation:delete', () => {
  it('takes everything with it, and every device hears of it', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { conversation } = await phone.call('conversation:create', {});
    const { conversationId } = conversation;
    const { messageId, generationId } = await phone.talk('Hello', { conversationId });
    await tablet.call('conversation:delete', { conversationId });
    await phone.next('conversation:deleted', (told) => told.conversationId === conversationId);
    for (const [event, payload] of [
      ['conversation:open', { conversationId }],
      ['message:send', { clientMessageId: uuid(), conversationId, text: 'there?' }],
      ['branch:select', { messageId }],
      ['generation:resume', { generationId, offset: 0 }],
      ['conversation:delete', { conversationId }],
    ] as const)
      expect(await phone.codeOf(event, payload)).toBe('not_found');
  });

  it('ends the reply that is being written in it, on every device, before it goes', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { generationId, conversationId } = await phone.say('Tell me everything');
    await phone.call('conversation:delete', { conversationId });
    await tablet.next('conversation:deleted');
    const names = tablet.seen.map(({ event }) => event);
    expect(names.indexOf('reply:end')).toBeGreaterThanOrEqual(0);
    expect(names.indexOf('reply:end')).toBeLessThan(names.indexOf('conversation:deleted'));
    expect(tablet.all('reply:end')).toMatchObject([{ generationId }]);
    expect(tablet.all('typing:update').at(-1)).toMatchObject({ typing: false });
  });

  it('of the default one makes room for a new one', async () => {
    await using device = await openGuest(server);
    const { conversationId } = await device.talk('Hello');
    await device.call('conversation:delete', { conversationId });
    const next = await device.talk('Hello again');
    expect(next.conversationId).not.toBe(conversationId);
    expect(next.seq).toBe(1);
  });
});
