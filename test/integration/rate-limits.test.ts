/** Floods are refused with a code and a time; what a person does is not, also beside one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { socketsMax } from '../../src/limits/rates.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openGuest, WireClient } from '../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { RATE_LIMITS: 'on', AMITY_PROXY_HOPS: '1' } });
});
afterAll(() => server[Symbol.asyncDispose]());

it('a flood of events is refused, known and unknown ones, and another user is answered', async () => {
  await using flooding = await openGuest(server);
  await using calm = await openGuest(server);
  const answers = await Promise.all(Array.from({ length: 400 }, () => flooding.raw('no:such', {})));
  const codes = answers.map((answer) => (answer.ok ? 'accepted' : answer.error.code));
  expect(new Set(codes)).toEqual(new Set(['invalid_payload', 'rate_limited']));
  const refused = await flooding.raw('settings:get', {});
  expect(refused).toMatchObject({
    ok: false,
    error: { code: 'rate_limited', retryable: true, retryAfterMs: expect.any(Number) },
  });
  expect((await calm.talk('Hello')).reply.status).toBe('done');
});

it('a refused message leaves no trace: its id may be used again', async () => {
  await using device = await openGuest(server);
  const sends = Array.from({ length: 120 }, (_, n) => ({
    clientMessageId: crypto.randomUUID(),
    text: `${n}`,
  }));
  const answers = await Promise.all(sends.map((send) => device.raw('message:send', send)));
  const codes = answers.map((answer) => (answer.ok ? 'accepted' : answer.error.code));
  expect(codes.slice(0, 60)).not.toContain('rate_limited');
  const refused = sends[codes.indexOf('rate_limited')];
  await using fresh = await WireClient.open(server.url, device.token);
  const { messages } = await fresh.call('conversation:open', { limit: 200 });
  expect(messages.map(({ text }) => text)).not.toContain(refused?.text);
  for (const { generationId } of (await fresh.call('conversation:open', {})).activeGenerations)
    await fresh.call('generation:cancel', { generationId });
  expect((await fresh.call('message:send', refused ?? { clientMessageId: '', text: '' })).duplicate).toBe(
    false,
  );
});

it('a user has so many connections and no more', async () => {
  const { token } = await server.guest();
  const open = await Promise.all(
    Array.from({ length: socketsMax.perUser }, () => WireClient.open(server.url, token)),
  );
  const refusal = await WireClient.open(server.url, token).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'rate_limited', retryable: true });
  await open[0]?.[Symbol.asyncDispose]();
  const again = await WireClient.open(server.url, token).catch((error: unknown) => error);
  expect(again).toBeInstanceOf(WireClient);
  for (const device of [...open, again as WireClient]) device.socket.disconnect();
});

it('guests are handed out up to a number, address by address', async () => {
  const statusOf = async (address: string) => {
    const headers = { 'x-forwarded-for': `6.6.6.6, ${address}` };
    const response = await fetch(`${server.url}/v1/guests`, { method: 'POST', headers });
    if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    return response.status;
  };
  const statuses = [];
  for (let n = 0; n < 200; n += 1) statuses.push(await statusOf('1.2.3.4'));
  expect(statuses.slice(0, 60)).toEqual(new Array(60).fill(201));
  expect(statuses.at(-1)).toBe(429);
  expect(await statusOf('1.2.3.5')).toBe(201);
});
