/**
 * kill -9 with the real model: people talk, edit, stop, choose and have replies written anew, and the server is killed at drawn moments.
 *
 *     npm run bench -- kills [--kills 50] [--people 8] [--senders 0] [--tiny] [--mongo] [--seed 1]
 *
 * Senders do not wait for replies, and send each message four times at once. --tiny: a model that costs next to nothing, so that more is sent between two
 * kills. --mongo: with a store on MongoDB. Both have results of their own. test/integration/kills.test.ts is a short run of it.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { killedMongoStore } from '../test/support/crash/read-mongo-store.ts';
import { runKills } from '../test/support/crash/run-kills.ts';
import { startMongoServer } from '../test/support/mongo-server.ts';
import { makeTinyModel } from '../test/support/tiny-model.ts';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    people: { type: 'string', default: '8' },
    senders: { type: 'string', default: '0' },
    tiny: { type: 'boolean', default: false },
    mongo: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
const dataDirectory = await mkdtemp(join(tmpdir(), 'amity-kills-'));
await using server = values.mongo ? await startMongoServer() : null;
const report = await runKills({
  ...(server !== null && { store: killedMongoStore(server) }),
  kills: Number(values.kills),
  people: Number(values.people),
  seed: Number(values.seed),
  dataDirectory,
  senders: Number(values.senders),
  env: await modelSettings(),
  onKill: (kills) => process.stderr.write(`\r${kills} of ${values.kills} kills`),
});
process.stderr.write('\n');
await rm(dataDirectory, { recursive: true, force: true });
const people = { people: Number(values.people), senders: Number(values.senders) };
const result = { ...describeMachine(), seed: Number(values.seed), ...people, ...report };
writeFileSync(
  new URL(
    `results/${['kills', values.tiny && 'tiny', values.mongo && 'mongo'].filter(Boolean).join('-')}.json`,
    import.meta.url,
  ),
  `${JSON.stringify(result, null, 2)}\n`,
);
console.log(JSON.stringify(result, null, 2));
process.exitCode = report.violations.length === 0 ? 0 : 1;

async function modelSettings(): Promise<Record<string, string>> {
  if (!values.tiny) return { MODELS_DIR: fileURLToPath(new URL('../data/models', import.meta.url)) };
  const models = join(dataDirectory, 'models');
  await makeTinyModel(join(models, 'tiny'), { kind: 'counting', endless: true });
  return {
    ...{ MODELS_DIR: models, MODEL: 'tiny', AMITY_THREADS: '1' },
    ...{ AMITY_REPLY_TOKENS_MAX: '300', AMITY_REPLY_TOKENS_SOFT_MAX: '300' },
  };
}
