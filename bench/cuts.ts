/**
 * Links that are cut: replies that are read through them, messages that are sent through them, and links that die without a word.
 *
 *     npm run bench -- cuts [--runs 1000] [--messages 1000] [--restarts 30] [--idle 0,180,600] [--seed 1] [--json]
 *
 * A tiny model, whose texts are exactly predictable, writes replies of 300 tokens. Each of `runs` readers has a link of its own that fails one to
 * five times at drawn bytes; a third of them each idles for so many seconds before its message. Then an app sends `messages` with the SDK over a
 * link that fails after 100 KB at most, and is killed `restarts` times. At last 100 links turn into black holes, and the server's own count of its
 * connections says when it has noticed. The test with smaller numbers is test/integration/cut-links.test.ts.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openFaultProxy } from '../test/support/faults/fault-proxy.ts';
import { runCuts } from '../test/support/faults/run-cuts.ts';
import { runSends } from '../test/support/faults/run-sends.ts';
import { makeTinyModel } from '../test/support/tiny-model.ts';
import { guestsAt, openGuest } from '../test/support/wire-client.ts';
import { describeMachine } from './machine.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    messages: { type: 'string', default: '1000' },
    restarts: { type: 'string', default: '30' },
    idle: { type: 'string', default: '0,180,600' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [runs, messages, restarts, seed] = [values.runs, values.messages, values.restarts, values.seed].map(
  Number,
) as [number, number, number, number];
const idle = values.idle.split(',').map(Number);
const halfOpen = 100;

const models = await mkdtemp(join(tmpdir(), 'amity-cuts-'));
await makeTinyModel(join(models, 'tiny'), { kind: 'counting', endless: true });
const tokens = { AMITY_REPLY_TOKENS_MAX: '300', AMITY_REPLY_TOKENS_SOFT_MAX: '300' };
await using server = await startServerProcess({
  ...tokens,
  MODELS_DIR: models,
  MODEL: 'tiny',
  AMITY_CANDIDATES: '1',
});

const cuts = await runCuts(server.url, {
  ...{ runs, seed, together: 16, idleMs: idle.map((seconds) => seconds * 1000) },
  onRun: (done) => process.stderr.write(`\r${done} of ${runs} replies`),
});
process.stderr.write('\n');
const sends = await runSends(server.url, { messages, restarts, bytesBetweenFaults: 100_000, seed });
const noticedAfter = await noticeHalfOpen(server);
await rm(models, { recursive: true });

const sent = Array.from({ length: messages }, (_, n) => `message ${n + 1}`);
const result = {
  ...describeMachine(),
  seed,
  replies: {
    ...{ runs, idleSeconds: idle, cuts: cuts.cuts, uncut: cuts.uncut, wrongs: cuts.wrongs },
    resumes: cuts.resumes.length,
    resumeMs: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
  },
  sdk: {
    ...{ messages, restarts, faults: sends.faults },
    lost: sent.filter((text) => !sends.stored.includes(text)).length,
    duplicated: sends.stored.length - new Set(sends.stored).size,
    inOrder: sends.stored.join() === sent.join(),
  },
  halfOpen: { links: halfOpen, noticedAfterSeconds: noticedAfter },
};
writeFileSync(new URL('results/cuts.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
process.exitCode = cuts.wrongs.length === 0 && result.sdk.inOrder ? 0 : 1;

function quantile(share: number): number {
  const { resumes } = cuts;
  return Math.round(resumes[Math.min(resumes.length - 1, Math.floor(share * resumes.length))] ?? 0);
}

/** @returns seconds until the server has let all of them go. */
async function noticeHalfOpen({ url, figures }: ServerProcess): Promise<number> {
  await using proxy = await openFaultProxy(url);
  const guests = await Promise.all(
    Array.from({ length: halfOpen }, () => openGuest({ url: proxy.url, guest: guestsAt(url).guest })),
  );
  proxy.swallowAll();
  const began = performance.now();
  while ((await figures()).connections > 0) await pause(100);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  await Promise.all(guests.map((guest) => guest[Symbol.asyncDispose]()));
  return seconds;
}
