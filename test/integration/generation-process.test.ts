/** AMITY_GENERATION_HOST=process: a native crash of the runtime costs replies some time, and nobody a connection. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProcessEvent } from '../../src/pool/generation-host.ts';
import { startCli } from '../support/cli-process.ts';
import { makeTinyModel } from '../support/tiny-model.ts';
import { aRequest, collect, never, startTinyPool, textOf } from '../support/tiny-pool.ts';
import { guestsAt, openGuest } from '../support/wire-client.ts';

const crashingWorker = new URL('../support/crashing-worker.ts', import.meta.url);
const abortingWorker = new URL('../support/aborting-worker.ts', import.meta.url);

let directory: string;
let modelPath: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'amity-process-'));
  modelPath = join(directory, 'models', 'tiny');
  await makeTinyModel(modelPath, { kind: 'counting', endless: true });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const longRequest = (id: string, word = 'hello') =>
  aRequest(id, { prompt: [{ kind: 'text', text: `${word}\n` }], tokensMax: 400 });

test('a native abort loses what ran, and what comes meanwhile waits for the next process', async () => {
  const events: ProcessEvent[] = [];
  const onProcess = (event: ProcessEvent) => events.push(event);
  await using pool = startTinyPool(modelPath, { host: 'process', workerFile: crashingWorker, onProcess });
  await pool.ready();
  const neighbour = collect(pool.generate(longRequest('n'), never()));
  const killer = await collect(pool.generate(longRequest('k', 'ABORT-THE-PROCESS'), never()));
  expect(killer.at(-1)).toMatchObject({ kind: 'lost', reason: expect.stringContaining('SIGABRT') });
  expect((await neighbour).at(-1)).toMatchObject({ kind: 'lost' });
  expect(pool.state()).toEqual({ kind: 'loading' });
  const cancelled = new AbortController();
  const stopped = collect(pool.generate(longRequest('s'), cancelled.signal));
  cancelled.abort();
  const next = await collect(pool.generate(longRequest('a'), never()));
  expect(textOf(next)).toHaveLength(400);
  expect((await stopped).at(-1)).toMatchObject({ kind: 'finished' });
  expect(textOf(await stopped).length).toBeLessThan(400);
  expect(events.map(({ kind }) => kind)).toEqual(['started', 'ended', 'started']);
  expect(pool.stats()).toMatchObject({ workers: 1, workersReady: 1, replaced: 1, queued: 0, running: 0 });
});

test('a process that never gets ready is given up after some starts, with a reason', async () => {
  const ends: (number | null)[] = [];
  const onProcess = (event: ProcessEvent) => {
    if (event.kind === 'ended') ends.push(event.restartInMs);
  };
  await using pool = startTinyPool(modelPath, { host: 'process', workerFile: abortingWorker, onProcess });
  const waiting = await collect(pool.generate(longRequest('w'), never()));
  expect(waiting).toEqual([{ kind: 'lost', reason: expect.stringContaining('SIGABRT') }]);
  await expect(pool.ready()).rejects.toMatchObject({
    code: 'model_unavailable',
    message: expect.stringContaining('SIGABRT'),
  });
  expect(ends).toEqual([0, 250, 500, 1000, null]);
  expect(pool.admits()).toMatchObject({ ok: false, code: 'model_unavailable' });
  await expect(collect(pool.generate(longRequest('late'), never()))).rejects.toMatchObject({
    code: 'model_unavailable',
  });
});

const settings = (data: string) => ({
  PORT: '0',
  DATA_DIR: join(directory, data),
  MODELS_DIR: join(directory, 'models'),
  MODEL: 'tiny',
  AMITY_THREADS: '1',
  AMITY_GENERATION_HOST: 'process',
  AMITY_REPLY_TOKENS_MAX: '2000',
  AMITY_REPLY_TOKENS_SOFT_MAX: '2000',
});

test('a reply goes on where the generation process is killed, on the same connection, without a hole', async () => {
  await using server = startCli(['serve'], settings('kill-child'));
  const url = (await server.seen(/listens on (http:\S+?)"/))[1] ?? '';
  const pid = Number((await server.seen(/"generationPid":(\d+)/))[1]);
  await server.seen(/model is ready/);
  await using device = await openGuest(guestsAt(url));
  let disconnects = 0;
  device.socket.on('disconnect', () => disconnects++);
  const { generationId } = await device.say('Count');
  await device.next('reply:delta');
  process.kill(pid, 'SIGKILL');
  await server.seen(/it goes on in another/);
  const { message } = await device.end(generationId);
  expect(message.status).toBe('done');
  expect(device.textOf(generationId)).toBe(message.text);
  // The model counts without end: a hole or a repetition would show.
  const { length } = message.text;
  expect(message.text).toBe('abcdefghijklmnopqrstuvwxyz '.repeat(length).slice(0, length));
  expect(device.all('reply:start')).toHaveLength(1);
  expect(disconnects).toBe(0);
});

test('a server that is killed takes its generation process with it', async () => {
  await using server = startCli(['serve'], settings('kill-parent'));
  const url = (await server.seen(/listens on (http:\S+?)"/))[1] ?? '';
  await server.seen(/model is ready/);
  await using device = await openGuest(guestsAt(url));
  await device.say('Count');
  await device.next('reply:delta');
  server.child.kill('SIGKILL');
  // Both write to the same standard error, which ends when neither can any more.
  expect((await server.ended).signal).toBe('SIGKILL');
});

test('a signal ends both in order', async () => {
  await using server = startCli(['serve'], settings('signal'));
  await server.seen(/model is ready/);
  server.child.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ code: 0, signal: null });
});
