/**
 * kill -9 with the real model: people talk, edit, stop, choose and have replies written anew, and the server is killed at drawn moments.
 *
 *     npm run bench -- kills [--kills 50] [--people 8] [--seed 1]
 *
 * The same run, with a tiny model, is test/integration/kills.test.ts.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runKills } from '../test/support/crash/run-kills.ts';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    people: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
  },
});
const dataDirectory = await mkdtemp(join(tmpdir(), 'amity-kills-'));
const report = await runKills({
  kills: Number(values.kills),
  people: Number(values.people),
  seed: Number(values.seed),
  dataDirectory,
  env: { MODELS_DIR: fileURLToPath(new URL('../data/models', import.meta.url)) },
  onKill: (kills) => process.stderr.write(`\r${kills} of ${values.kills} kills`),
});
process.stderr.write('\n');
await rm(dataDirectory, { recursive: true, force: true });
const result = { ...describeMachine(), seed: Number(values.seed), people: Number(values.people), ...report };
writeFileSync(new URL('results/kills.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
process.exitCode = report.violations.length === 0 ? 0 : 1;
