/** HTTP on the port of the socket: health, metrics, models, the page, and errors in one shape. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openGuest } from '../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const get = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);

describe('HTTP', () => {
  it('is alive and ready', async () => {
    expect(await (await get('/healthz')).json()).toEqual({ status: 'alive' });
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
  });

  it('counts what happened, without a word of what was said', async () => {
    await using device = await openGuest(server);
    const sent = await device.say('A very secret sentence');
    const { message } = await device.end(sent.generationId);
    await device.call('reaction:set', { messageId: message.messageId, kind: 'love', comment: 'secret too' });
    await device.codeOf('message:send', {});
    const metrics = await (await get('/metrics')).text();
    for (const line of [
      'amity_messages_total 1',
      'amity_replies_total{outcome="stop"} 1',
      'amity_reactions_total{kind="love"} 1',
      'amity_errors_total{code="invalid_payload"} 1',
      'amity_connections 1',
    ]) {
      expect(metrics).toContain(line);
    }
    expect(metrics).not.toMatch(/secret|[ucmg]_[0-9a-f]{32}/);
  });

  it('lists the models', async () => {
    const { data } = (await (await get('/v1/models')).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['default', 'tiny-counting']);
  });

  it('answers what it does not have with a coded error', async () => {
    for (const [path, method] of [
      ['/v1/nothing', 'GET'],
      ['/v1/guests', 'DELETE'],
      ['/../package.json', 'GET'],
      ['/%2e%2e/package.json', 'GET'],
    ] as const) {
      const answer = await get(path, { method });
      expect([answer.status, await answer.json()]).toMatchObject([
        404,
        { error: { code: 'not_found', retryable: false } },
      ]);
    }
  });

  it('refuses an Authorization header that is no bearer token', async () => {
    const answer = await get('/v1/guests', { method: 'POST', headers: { authorization: 'Basic abc' } });
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: { code: 'unauthenticated' } }]);
  });

  it('gives out no guest tokens where tokens come from somewhere else', async () => {
    await using closed = await startTestServer({ env: { JWT_SECRET: 's'.repeat(32), HOST: '127.0.0.1' } });
    const answer = await fetch(`${closed.url}/v1/guests`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toMatchObject([422, { error: { code: 'unsupported' } }]);
  });

  it('lets no other page frame it or run scripts in it', async () => {
    const policy = (await get('/')).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
  });
});
