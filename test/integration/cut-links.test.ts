/**
 * Links that fail at any byte: replies are read through them whole, and the SDK sends each message once. SEED=n repeats a run;
 * AMITY_TEST_LONG=1 runs a hundred times as much; `npm run bench -- cuts` is the whole of it, with idle times.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCuts } from '../support/faults/run-cuts.ts';
import { runSends } from '../support/faults/run-sends.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { makeTinyModel } from '../support/tiny-model.ts';

const isLong = process.env['AMITY_TEST_LONG'] === '1';
const seed = Number(process.env['SEED'] ?? 1);

let models: string;
let server: TestServer;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'amity-cuts-'));
  await makeTinyModel(join(models, 'tiny'), { kind: 'counting', endless: true });
  const env = { MODEL: 'tiny', AMITY_CANDIDATES: '1', AMITY_REPLY_TOKENS_MAX: '300' };
  server = await startTestServer({
    modelsDirectory: models,
    env: { ...env, AMITY_REPLY_TOKENS_SOFT_MAX: '300' },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(models, { recursive: true });
});

test('a reply that is read through cuts at any byte is the stored one', async () => {
  const runs = isLong ? 1000 : 16;
  const report = await runCuts(server.url, { runs, seed, idleMs: [0], together: 8 });
  expect(report.wrongs, `SEED=${seed}`).toEqual([]);
  // A run in which little was cut proves little.
  expect(report.uncut).toBeLessThan(runs / 4);
  expect(report.resumes.length).toBeGreaterThan(runs / 2);
}, 900_000);

test('an app that is killed while it sends over such links sends each message once, in order', async () => {
  const messages = isLong ? 1000 : 30;
  const extent = isLong
    ? { restarts: 30, bytesBetweenFaults: 100_000 }
    : { restarts: 2, bytesBetweenFaults: 20_000 };
  const report = await runSends(server.url, { messages, seed, ...extent });
  const expected = Array.from({ length: messages }, (_, n) => `message ${n + 1}`);
  expect(report.stored, `SEED=${seed}`).toEqual(expected);
  const faults = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  expect(faults).toBeGreaterThan(0);
}, 900_000);
