/** An export over a real connection, of a store that fails on the way. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterEach, expect, it } from 'vitest';
import { addMeRoutes } from '../../src/http/me.ts';

let close = () => {};
afterEach(() => close());

async function open(pieces: () => AsyncIterable<string>) {
  const errors: unknown[] = [];
  const app = new Hono();
  addMeRoutes(app, {
    verifyToken: async () => ({ userId: 'u_1', expiresAt: null, isGuest: true }) as never,
    rights: { export: async () => pieces(), erase: async () => ({}) },
    onError: (_path, error) => errors.push(error),
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  await once(server, 'listening');
  close = () => server.close();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/me/export`;
  const ask = (method: string, signal?: AbortSignal) =>
    fetch(url, { method, headers: { authorization: 'Bearer t' }, ...(signal && { signal }) });
  return { ask, errors };
}

it('an export that the store breaks off is no whole one to its reader, and the operator is told', async () => {
  const { ask, errors } = await open(async function* () {
    yield '{"conversations":[';
    throw new Error('the store is gone');
  });
  const response = await ask('GET');
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  expect(errors).toEqual([new Error('the store is gone')]);
});

it('exports of which only the head was asked, or that were left, take no place of others', async () => {
  let left = 0;
  const { ask } = await open(async function* () {
    try {
      for (let n = 0; n < 1_000_000; n += 1) yield 'x'.repeat(1000);
    } finally {
      left += 1;
    }
  });
  for (let n = 0; n < 6; n += 1) expect((await ask('HEAD')).status).toBe(200);
  for (let n = 1; n <= 6; n += 1) {
    const leave = new AbortController();
    const response = await ask('GET', leave.signal);
    expect(response.status).toBe(200);
    await response.body?.getReader().read();
    leave.abort();
    await expect.poll(() => left).toBe(n);
  }
});
