/**
 * A database in trouble while people send: killed, gone, or silent, on the server that the tests use as MongoDB.
 *
 *     npm run bench -- troubles [--kills 20] [--outages 20] [--senders 12] [--seed 1]
 *
 * Each message is sent four times at once. What is acknowledged, how long refusals and recoveries take, and what the history checker finds.
 * test/integration/kills.test.ts is a short run of it.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runStoreTroubles } from '../test/support/crash/run-store-troubles.ts';
import { startMongoServer } from '../test/support/mongo-server.ts';
import { makeTinyModel } from '../test/support/tiny-model.ts';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    outages: { type: 'string', default: '20' },
    senders: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
  },
});
const [kills, outages, senders, seed] = [values.kills, values.outages, values.senders, values.seed].map(
  Number,
) as [number, number, number, number];
const directory = await mkdtemp(join(tmpdir(), 'amity-troubles-'));
const models = join(directory, 'models');
await makeTinyModel(join(models, 'tiny'), { kind: 'counting', endless: true });
await using server = await startMongoServer();
const report = await runStoreTroubles({
  ...{ server, kills, outages, senders, seed, dataDirectory: join(directory, 'data') },
  env: {
    ...{ MODELS_DIR: models, MODEL: 'tiny', AMITY_THREADS: '1' },
    ...{ AMITY_REPLY_TOKENS_MAX: '20', AMITY_REPLY_TOKENS_SOFT_MAX: '20', AMITY_CANDIDATES: '1' },
  },
  onTrouble: (troubles) => process.stderr.write(`\r${troubles} of ${kills + outages} troubles`),
});
process.stderr.write('\n');
await rm(directory, { recursive: true, force: true });
const result = { ...describeMachine(), seed, senders, ...report };
writeFileSync(new URL('results/troubles.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
process.exitCode = report.violations.length === 0 ? 0 : 1;
