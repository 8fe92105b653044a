/** Who may connect, what a device is told, and what a refusal carries. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/protocol/limits.ts';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const refusalOf = (token: unknown) =>
  WireClient.open(server.url, token).then(
    () => 'let in',
    (error: unknown) => error,
  );

/** A token that this server's own secret signed, and that ended a minute ago. */
function endedToken(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${encode({ alg: 'HS256' })}.${encode({ sub: 'u_old', exp: Math.floor(Date.now() / 1000) - 60 })}`;
  const secret = readFileSync(join(server.dataDirectory, 'guest-secret'));
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

describe('connecting', () => {
  it('tells a guest who it is and where its conversation is, the same on every device', async () => {
    const guest = await server.guest();
    await using phone = await WireClient.open(server.url, guest.token, {
      deviceId: 'phone',
      colour: 'ignored',
    });
    await using tablet = await WireClient.open(server.url, guest.token, { deviceId: 'phone' });
    const ready = phone.all('session:ready')[0];
    expect(ready).toMatchObject({ protocolVersion: 1, userId: guest.userId, lastSeq: 0, limits });
    expect(ready?.serverTime).toMatch(/^\d{4}-.*Z$/);
    expect(tablet.all('session:ready')[0]?.conversationId).toBe(ready?.conversationId);
  });

  it.each([undefined, '', 'not.a.token', 7, { $ne: null }])(
    'refuses the token %j as unauthenticated',
    async (token) => {
      expect(await refusalOf(token)).toMatchObject({ code: 'unauthenticated', retryable: false });
    },
  );

  it('says of a token that has ended that it has ended', async () => {
    expect(await refusalOf(endedToken())).toMatchObject({ code: 'token_expired' });
  });

  it('renews the token of a guest, who stays the same', async () => {
    const guest = await server.guest();
    const headers = { authorization: `Bearer ${guest.token}` };
    const renewed = (await (
      await fetch(`${server.url}/v1/guests`, { method: 'POST', headers })
    ).json()) as typeof guest;
    expect(renewed.userId).toBe(guest.userId);
    const forged = await fetch(`${server.url}/v1/guests`, {
      method: 'POST',
      headers: { authorization: 'Bearer x.y.z' },
    });
    expect([forged.status, await forged.json()]).toMatchObject([401, { error: { code: 'unauthenticated' } }]);
  });

  it('lets pages of its own origin in, and no others', async () => {
    const { token } = await server.guest();
    const connect = (origin: string) =>
      new Promise<string>((resolve) => {
        const socket = io(server.url, {
          auth: { token },
          transports: ['websocket'],
          reconnection: false,
          forceNew: true,
          extraHeaders: { origin },
        });
        socket.once('session:ready', () => resolve('let in'));
        socket.once('connect_error', () => resolve('refused'));
      });
    expect(await connect(server.url)).toBe('let in');
    expect(await connect('https://elsewhere.example')).toBe('refused');
  });

  it('follows a reply on a device that connects while it is written', async () => {
    await using endless = await startTestServer({
      env: { AMITY_REPLY_TOKENS_MAX: '400', AMITY_TEMPLATE: 'transcript' },
    });
    await using phone = await openGuest(endless);
    const sent = await phone.say('Count');
    await phone.next('reply:delta');
    await using tablet = await WireClient.open(endless.url, phone.token);
    const { text, offset } = await tablet.call('generation:resume', {
      generationId: sent.generationId,
      offset: 0,
    });
    const end = await tablet.end(sent.generationId);
    let whole = text;
    for (const delta of tablet.all('reply:delta').filter((one) => one.offset >= offset + text.length)) {
      expect(delta.offset).toBe(whole.length);
      whole += delta.text;
    }
    expect(whole).toBe(end.message.text);
    expect(whole).toHaveLength(400);
  });
});
