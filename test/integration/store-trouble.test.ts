/** When the store cannot be written, nothing is acknowledged; when it can again, everything goes on by itself. */
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openGuest } from '../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('a store that somebody else has locked', () => {
  it('refuses messages as store_unavailable, says so in /readyz, and takes the same message afterwards', async () => {
    await using device = await openGuest(server);
    const payload = { clientMessageId: crypto.randomUUID(), text: 'Hello' };
    const other = new Database(join(server.dataDirectory, 'amity.db'));
    other.exec('BEGIN EXCLUSIVE');
    expect(await device.codeOf('message:send', payload)).toBe('store_unavailable');
    const ready = await fetch(`${server.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(JSON.stringify(await ready.json())).toContain('store');
    other.exec('ROLLBACK');
    other.close();
    const sent = await device.call('message:send', payload);
    expect(sent).toMatchObject({ seq: 1, duplicate: false });
    expect((await device.end(sent.generationId)).message.status).toBe('done');
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it('keeps a reply that ends meanwhile, and stores it when it can', async () => {
    await using device = await openGuest(server);
    const other = new Database(join(server.dataDirectory, 'amity.db'));
    const sent = await device.say('Hello');
    await device.next('reply:start');
    other.exec('BEGIN EXCLUSIVE');
    setTimeout(() => {
      other.exec('ROLLBACK');
      other.close();
    }, 500);
    const end = await device.end(sent.generationId);
    expect(end.message).toMatchObject({ text: device.textOf(sent.generationId), status: 'done' });
    expect((await device.call('conversation:open', {})).messages[1]).toEqual(end.message);
  });
});
