/** `history:search`: by words, newest first, in one conversation or in all of the user. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest } from '../../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('history:search', () => {
  it('finds what was said, newest first, and goes on where it ended', async () => {
    await using device = await openGuest(server);
    for (const text of ['Café one', 'cafe two', 'tea', 'CAFÉ three']) await device.talk(text);
    const first = await device.call('history:search', { query: 'café!', limit: 2 });
    expect(first.hits.map(({ message, excerpt }) => [message.text, excerpt])).toEqual([
      ['CAFÉ three', 'CAFÉ three'],
      ['cafe two', 'cafe two'],
    ]);
    const rest = await device.call('history:search', {
      query: 'café!',
      limit: 2,
      cursor: first.nextCursor ?? '',
    });
    expect([rest.hits.map(({ message }) => message.text), rest.nextCursor]).toEqual([['Café one'], null]);
  });

  it('stays in a conversation when one is named, and with the user always', async () => {
    await using ada = await openGuest(server);
    await using bob = await openGuest(server);
    await ada.talk('a secret');
    const { conversation } = await ada.call('conversation:create', {});
    const { conversationId } = conversation;
    await ada.talk('another secret', { conversationId });
    const textsOf = async (device: typeof ada, within: object) =>
      (await device.call('history:search', { query: 'secret', ...within })).hits.map(
        ({ message }) => message.text,
      );
    expect(await textsOf(ada, {})).toEqual(['another secret', 'a secret']);
    expect(await textsOf(ada, { conversationId })).toEqual(['another secret']);
    expect(await textsOf(bob, {})).toEqual([]);
  });

  it('takes all signs for text, and finds nothing for signs alone', async () => {
    await using device = await openGuest(server);
    await device.talk('say "hello" AND wait*');
    for (const query of ['"hello" and', 'NEAR(hello', "'; DROP TABLE messages; --", 'owner:', '{text}: x']) {
      expect(await device.codeOf('history:search', { query })).toBe('accepted');
    }
    expect((await device.call('history:search', { query: '"hello" and' })).hits).toHaveLength(1);
    expect(await device.call('history:search', { query: '?!' })).toEqual({ hits: [], nextCursor: null });
  });

  it.each([
    [{}, 'invalid_payload'],
    [{ query: '' }, 'invalid_payload'],
    [{ query: { $regex: '.*' } }, 'invalid_payload'],
    [{ query: '\udc00' }, 'invalid_payload'],
    [{ query: 'x'.repeat(501) }, 'too_large'],
    [{ query: 'x', cursor: 'eyJ9' }, 'invalid_payload'],
    [{ query: 'x', limit: 0 }, 'invalid_payload'],
    [{ query: 'x', limit: 201 }, 'invalid_payload'],
  ])('refuses %j as %s', async (payload, code) => {
    await using device = await openGuest(server);
    expect(await device.codeOf('history:search', payload)).toBe(code);
  });
});
