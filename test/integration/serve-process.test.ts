/** `amity serve` as operators meet it: what keeps it from starting is one clear sentence, and a signal ends it in order. */

import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { makeTinyModel } from '../support/tiny-model.ts';
import { guestsAt, openGuest, WireClient } from '../support/wire-client.ts';

let directory: string;
let modelsDirectory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'amity-serve-'));
  modelsDirectory = join(directory, 'models');
  await makeTinyModel(join(modelsDirectory, 'tiny'), { kind: 'counting' });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

let runs = 0;
const settings = (own: Record<string, string> = {}) => ({
  PORT: '0',
  DATA_DIR: join(directory, `data-${runs++}`),
  MODELS_DIR: modelsDirectory,
  MODEL: 'tiny',
  AMITY_THREADS: '1',
  ...own,
});

const urlOf = async (server: CliProcess) => (await server.seen(/listens on (http:\S+?)"/))[1] ?? '';

describe('amity serve does not start', () => {
  it('with unusable settings: exit code 2, all of them named', async () => {
    await using server = startCli(['serve'], settings({ PORT: 'x', AMITY_TOPP: '1', LOG_LEVEL: 'loud' }));
    expect((await server.ended).code).toBe(2);
    for (const name of ['PORT', 'AMITY_TOPP', 'LOG_LEVEL']) expect(server.errors()).toContain(name);
  });

  it('on a port that is in use: one sentence with the remedy', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await using server = startCli(['serve'], settings({ PORT: String(port), LOG_LEVEL: 'fatal' }));
    expect((await server.ended).code).toBe(1);
    expect(server.errors()).toBe(
      `Port ${port} is in use. Stop the other program, or choose another port: PORT=${port + 1} npm start\n`,
    );
    other.close();
  });

  it('with a data directory that cannot be written: one sentence that names it', async () => {
    const file = join(directory, 'a-file');
    writeFileSync(file, '');
    await using server = startCli(['serve'], settings({ DATA_DIR: join(file, 'data'), LOG_LEVEL: 'fatal' }));
    expect((await server.ended).code).toBe(1);
    expect(server.errors()).toMatch(
      /^The directory .*a-file\/data cannot be written \(ENOTDIR\)\. .*DATA_DIR.*\n$/,
    );
  });

  it('where a file system takes no new entries: one sentence, and no endless trying', async () => {
    await using server = startCli(['serve'], settings({ DATA_DIR: '/proc/amity/data', LOG_LEVEL: 'fatal' }));
    expect((await server.ended).code).toBe(1);
    expect(server.errors()).toMatch(
      /^The directory \/proc\/amity\/data cannot be written \((ENOENT|EACCES|EROFS|EPERM)\)/,
    );
  });

  it('for an unknown command: exit code 2', async () => {
    await using cli = startCli(['sevre'], settings());
    expect((await cli.ended).code).toBe(2);
    expect(cli.errors()).toMatch(/unknown command 'sevre'/);
  });
});

describe('amity serve without a usable model', () => {
  async function expectUnavailable(env: Record<string, string>, reason: RegExp): Promise<void> {
    await using server = startCli(['serve'], env);
    const url = await urlOf(server);
    await server.seen(reason);
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(JSON.stringify(await ready.json())).toMatch(reason);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await using device = await openGuest(guestsAt(url));
    expect(await device.codeOf('message:send', { clientMessageId: crypto.randomUUID(), text: 'Hello' })).toBe(
      'model_unavailable',
    );
    expect((await device.call('conversation:open', {})).messages).toEqual([]);
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
  }

  it('starts all the same when it is missing, and says what to do', async () => {
    await expectUnavailable(
      settings({ MODEL: 'absent' }),
      /No model in .*absent: run .*npx amity model pull/,
    );
  });

  it('starts all the same when a file is damaged, and names it', async () => {
    await makeTinyModel(join(modelsDirectory, 'damaged'), { kind: 'counting' });
    const file = await open(join(modelsDirectory, 'damaged', 'model.onnx.data'), 'r+');
    await file.write('damage', 5000);
    await file.close();
    await expectUnavailable(settings({ MODEL: 'damaged' }), /model\.onnx\.data.*npx amity model pull/);
  });
});

describe('a signal', () => {
  const endless = {
    AMITY_TEMPLATE: 'transcript',
    AMITY_REPLY_TOKENS_MAX: '1500',
    AMITY_PROMPT_TOKENS_MAX: '400',
    AMITY_DRAIN_TIMEOUT_MS: '200',
  };

  it('lets running replies keep their text, and ends with 0, also when it comes twice', async () => {
    const env = settings(endless);
    let generationId: string;
    let token: string;
    let shown: string;
    {
      await using server = startCli(['serve'], env);
      await server.seen(/model is ready/);
      await using device = await openGuest(guestsAt(await urlOf(server)));
      token = device.token;
      ({ generationId } = await device.say('Count'));
      await device.next('reply:delta');
      server.child.kill('SIGTERM');
      server.child.kill('SIGTERM');
      const { reconnectInMs } = await device.next('server:draining');
      expect(reconnectInMs).toBeLessThanOrEqual(5000);
      const end = await device.end(generationId);
      shown = device.textOf(generationId);
      expect(end.message.text).toBe(shown);
      expect(await server.ended).toMatchObject({ code: 0, signal: null });
    }
    await using server = startCli(['serve'], env);
    await using device = await WireClient.open(await urlOf(server), token);
    const { text, message } = await device.call('generation:resume', { generationId, offset: 0 });
    expect(text).toBe(shown);
    expect(['cancelled', 'length']).toContain(message?.finishReason);
  });

  it('of the hardest kind loses no acknowledged message, and the reply goes on where its reader had come to', async () => {
    const env = settings(endless);
    let sent: { messageId: string; generationId: string };
    let token: string;
    let seen: string;
    {
      await using server = startCli(['serve'], env);
      await server.seen(/model is ready/);
      await using device = await openGuest(guestsAt(await urlOf(server)));
      token = device.token;
      sent = await device.say('Count');
      await device.next('reply:delta');
      server.child.kill('SIGKILL');
      await server.ended;
      seen = device.textOf(sent.generationId);
    }
    await using server = startCli(['serve'], env);
    await using device = await WireClient.open(await urlOf(server), token);
    const { messages } = await device.call('conversation:open', {});
    expect(messages.map(({ messageId, role }) => [messageId === sent.messageId, role])).toEqual([
      [true, 'user'],
      [false, 'companion'],
    ]);
    const { generationId } = sent;
    const resumed = await device.call('generation:resume', { generationId, offset: seen.length });
    const end = resumed.message ?? (await device.end(generationId)).message;
    expect(end.status).toBe('done');
    expect(end.text.startsWith(seen)).toBe(true);
    // The model counts without end: a hole or a repetition would show.
    const digits = '0123456789';
    expect(end.text).toBe(digits.repeat(end.text.length).slice(0, end.text.length));
  });
});
