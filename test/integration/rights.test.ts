/** What people may ask of their data: `GET /v1/me/export`, `DELETE /v1/me`. */
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openGuest, WireClient } from '../support/wire-client.ts';

const secret = 's'.repeat(32);

let server: TestServer;
let accounts: TestServer;
beforeAll(async () => {
  // The tiny model counts without end after a transcript prompt: a reply that goes on until it is stopped.
  server = await startTestServer({ env: { AMITY_TEMPLATE: 'transcript', AMITY_REPLY_TOKENS_MAX: '1500' } });
  accounts = await startTestServer({ env: { JWT_SECRET: secret, HOST: '127.0.0.1' } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

async function ask(asked: string, token?: string, on = server) {
  const [method = '', path = ''] = asked.split(' ');
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${on.url}${path}`, { method, headers });
  const text = await response.text();
  return { status: response.status, text, headers: response.headers, body: JSON.parse(text) };
}

it('an export is one JSON document with everything, to keep as a file', async () => {
  await using device = await openGuest(server);
  const { generationId } = await device.say('Remember the apricots');
  await device.next('reply:delta');
  await device.call('generation:cancel', { generationId });
  const { message } = await device.end(generationId);
  await device.call('reaction:set', { messageId: message.messageId, kind: 'up', comment: 'fine' });
  await device.call('settings:set', { locale: 'de' });
  const { status, headers, body } = await ask('GET /v1/me/export', device.token);
  expect(status).toBe(200);
  expect(headers.get('content-disposition')).toBe('attachment; filename="amity-export.json"');
  expect(headers.get('cache-control')).toBe('no-store');
  const [said, reply] = body.conversations[0].messages;
  expect(body).toMatchObject({ format: 'amity-export@1', settings: { locale: 'de' } });
  expect(said).toMatchObject({ text: 'Remember the apricots', role: 'user' });
  expect(reply).toMatchObject({ text: message.text, reaction: { kind: 'up', comment: 'fine' } });
  expect(reply.generation.trace.trace.parts.at(-1).text).toBe('Remember the apricots');
});

it('an export of somebody who has never said a word is empty, and no token gets none', async () => {
  const { token } = await server.guest();
  expect((await ask('GET /v1/me/export', token)).body.conversations).toEqual([]);
  for (const asked of ['GET /v1/me/export', 'DELETE /v1/me']) {
    expect(await ask(asked)).toMatchObject({
      status: 401,
      body: { error: { code: 'unauthenticated' } },
    });
    expect(await ask(asked, 'nonsense')).toMatchObject({ status: 401 });
  }
});

it('a guest who is erased while a reply is written is gone: devices, reply, texts and tokens', async () => {
  await using phone = await openGuest(server);
  await using tablet = await WireClient.open(server.url, phone.token);
  await using other = await openGuest(server);
  await other.say('Stays');
  const lost = [phone, tablet].map((device) => new Promise((done) => device.socket.once('disconnect', done)));
  await phone.say('Forget me');
  await phone.next('reply:delta');
  const { status, body } = await ask('DELETE /v1/me', phone.token);
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { erased: { conversations: 1, messages: 2 } },
  });
  await Promise.all(lost);
  for (const asked of ['GET /v1/me/export', 'DELETE /v1/me'])
    expect(await ask(asked, phone.token)).toMatchObject({
      ...{ status: 401, body: { error: { code: 'unauthenticated' } } },
    });
  const refused = await WireClient.open(server.url, phone.token).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'unauthenticated' });
  const renewal = await ask('POST /v1/guests', phone.token);
  expect(renewal.status).toBe(401);
  expect((await ask('GET /v1/me/export', other.token)).text).toContain('Stays');
});

it('an erased guest stays erased when the server starts again', async () => {
  const first = await startTestServer();
  const { token } = await first.guest();
  await ask('DELETE /v1/me', token, first);
  await first.stop();
  await using second = await startTestServer({ dataDirectory: first.dataDirectory });
  expect((await ask('GET /v1/me/export', token, second)).status).toBe(401);
  await first[Symbol.asyncDispose]();
});

it('somebody of another issuer begins as a new user', async () => {
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ada')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));
  await using device = await WireClient.open(accounts.url, token);
  await device.talk('Before');
  expect((await ask('DELETE /v1/me', token, accounts)).body.erased).toMatchObject({ messages: 2 });
  expect((await ask('GET /v1/me/export', token, accounts)).body.conversations).toEqual([]);
  await using again = await WireClient.open(accounts.url, token);
  expect((await again.call('conversation:open', {})).messages).toEqual([]);
  await again.talk('After');
  expect((await ask('GET /v1/me/export', token, accounts)).text).not.toContain('Before');
});
