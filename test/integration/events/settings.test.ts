/** What belongs to the user and not to a conversation: settings, feedback, typing, and the token of a connection. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAmityClient } from '../../../src/client/amity-client.ts';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';
import { until } from '../../unit/client/until.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A token that this server's own secret signed. */
function tokenOf(userId: string, livesSeconds: number): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + livesSeconds;
  const body = `${encode({ alg: 'HS256' })}.${encode({ sub: userId, exp })}`;
  const secret = readFileSync(join(server.dataDirectory, 'guest-secret'));
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

describe('settings', () => {
  it('consent to nothing until told so, and keep what is not named', async () => {
    await using device = await openGuest(server);
    const defaults = { trainingConsent: false, styleEnabled: true, locale: null, timeZone: null };
    expect((await device.call('settings:get', {})).settings).toEqual(defaults);
    const change = { trainingConsent: true, locale: 'pt-BR', timeZone: 'America/Sao_Paulo' };
    const { settings } = await device.call('settings:set', change);
    expect(settings).toEqual({ ...defaults, ...change });
    await device.call('settings:set', { styleEnabled: false });
    expect((await device.call('settings:get', {})).settings).toEqual({ ...settings, styleEnabled: false });
  });

  it.each([
    { locale: 'not a locale' },
    { locale: '' },
    { timeZone: 'Mars/Olympus' },
    { timeZone: '' },
    { trainingConsent: 'yes' },
    { trainingConsent: null },
    { userId: 'other' },
  ])('refuse %j', async (payload) => {
    await using device = await openGuest(server);
    expect(await device.codeOf('settings:set', payload)).toBe('invalid_payload');
    expect(await device.codeOf('settings:get', { surprise: 1 })).toBe('invalid_payload');
  });
});

describe('session:feedback', () => {
  it('is taken as often as it is given', async () => {
    await using device = await openGuest(server);
    const { conversationId } = await device.talk('Hello');
    for (const rating of ['better', 'same', 'worse', 'worse'] as const)
      expect(await device.call('session:feedback', { conversationId, rating })).toEqual({});
    expect(await device.codeOf('session:feedback', { conversationId, rating: 'great' })).toBe(
      'invalid_payload',
    );
  });
});

describe('typing:set', () => {
  it('is shown on the other devices, and ends with the device that it came from', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { conversationId } = await phone
      .call('conversation:open', {})
      .then(({ conversation }) => conversation);
    await phone.call('typing:set', { conversationId, typing: true });
    const shown = await tablet.next('typing:update', ({ who }) => who === 'user');
    expect(shown).toEqual({ conversationId, who: 'user', typing: true, ttlMs: 5000 });
    phone.socket.disconnect();
    await tablet.next('typing:update', ({ who, typing }) => who === 'user' && !typing);
    expect(phone.all('typing:update')).toEqual([]);
  });
});

describe('auth:refresh', () => {
  it('keeps a connection alive beyond its first token, which was announced to end', async () => {
    const { userId } = await server.guest();
    await using device = await WireClient.open(server.url, tokenOf(userId, 30));
    const { expiresAt } = await device.next('session:expiring');
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(30_000);
    const refreshed = await device.call('auth:refresh', { token: tokenOf(userId, 3600) });
    expect(Date.parse(refreshed.expiresAt) - Date.now()).toBeGreaterThan(3_000_000);
    expect(await device.codeOf('settings:get', {})).toBe('accepted');
  });

  it('is what the SDK does by itself', async () => {
    const { userId } = await server.guest();
    const tokens = [tokenOf(userId, 2), tokenOf(userId, 3600)];
    await using other = await WireClient.open(server.url, tokens[0]);
    const ended = new Promise<void>((resolve) => other.socket.once('disconnect', () => resolve()));
    const refusals: (string | null)[] = [];
    const auth = async (refused: string | null) => {
      refusals.push(refused);
      return tokens.shift() ?? '';
    };
    const client = createAmityClient({ url: server.url, auth });
    const states: string[] = [];
    client.subscribe(() => states.push(client.getSnapshot().connection.state));
    try {
      await ended;
      expect((await until(client, ({ synced }) => synced)).connection.state).toBe('online');
      expect(refusals).toStrictEqual([null, null]);
      expect(states).not.toContain('offline');
    } finally {
      client.close();
    }
  });

  it('refuses the token of somebody else, one that has ended and what is no token', async () => {
    await using device = await openGuest(server);
    const { token } = await server.guest();
    expect(await device.codeOf('auth:refresh', { token })).toBe('unauthenticated');
    const { userId } = device.all('session:ready')[0]!;
    expect(await device.codeOf('auth:refresh', { token: tokenOf(userId, -60) })).toBe('token_expired');
    expect(await device.codeOf('auth:refresh', { token: 'x' })).toBe('unauthenticated');
    expect(await device.codeOf('auth:refresh', { token: 7 })).toBe('invalid_payload');
    expect(await device.codeOf('settings:get', {})).toBe('accepted');
  });
});
