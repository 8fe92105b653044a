/** `POST /v1/me/claim`: what a guest has goes over to an account. */
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issueGuestToken, loadGuestSecret } from '../../src/auth/guest-tokens.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { WireClient } from '../support/wire-client.ts';

const secret = 's'.repeat(32);

let guestServer: TestServer;
let server: TestServer;
beforeAll(async () => {
  // A server that people tried as guests, and that got accounts then.
  guestServer = await startTestServer();
  guest = await guestServer.guest();
  await using phone = await WireClient.open(guestServer.url, guest.token);
  await phone.talk('Said as a guest');
  await guestServer.stop();
  const { dataDirectory } = guestServer;
  server = await startTestServer({ dataDirectory, env: { JWT_SECRET: secret, HOST: '127.0.0.1' } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await guestServer[Symbol.asyncDispose]();
});

let guest: { userId: string; token: string };
const accountToken = (userId: string) =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));

async function claim(bearer: string | undefined, body: unknown) {
  const response = await fetch(`${server.url}/v1/me/claim`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = (await response.json()) as { error?: { code: string } };
  return { status: response.status, answer, code: answer.error?.code };
}

it('gives the account the guest’s conversations, once', async () => {
  const token = await accountToken('ada');
  expect(await claim(token, { guestToken: guest.token })).toMatchObject({
    ...{ status: 200, answer: { conversations: 1, messages: 2 } },
  });
  await using device = await WireClient.open(server.url, token);
  const { hits } = await device.call('history:search', { query: 'guest' });
  expect(hits.map(({ message }) => message.text)).toEqual(['Said as a guest']);
  expect(await claim(token, { guestToken: guest.token })).toMatchObject({
    ...{ status: 200, answer: { conversations: 0, messages: 0 } },
  });
});

it('refuses tokens that are none, of the wrong kind, or missing', async () => {
  const token = await accountToken('ada');
  const other = await issueGuestToken(await loadGuestSecret(server.dataDirectory), 'u_x', Date.now() - 4e9);
  expect(await claim(undefined, { guestToken: guest.token })).toMatchObject({ code: 'unauthenticated' });
  expect(await claim(guest.token, { guestToken: guest.token })).toMatchObject({ code: 'unauthenticated' });
  expect(await claim(token, { guestToken: token })).toMatchObject({ status: 401, code: 'unauthenticated' });
  expect(await claim(token, { guestToken: other.token })).toMatchObject({ code: 'token_expired' });
  for (const body of ['', '{', [], {}, { guestToken: 7 }, { guestToken: guest.token, more: 1 }])
    expect(await claim(token, body)).toMatchObject({ status: 400, code: 'invalid_payload' });
  const same = await accountToken(guest.userId);
  expect(await claim(same, { guestToken: guest.token })).toMatchObject({ status: 409, code: 'conflict' });
});
