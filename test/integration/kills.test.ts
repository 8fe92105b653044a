/**
 * kill -9 under load: every acknowledged message is there once, and every reply has ended, or gone on from what was seen of it.
 * SEED=n repeats a run; AMITY_TEST_LONG=1 kills fifty times.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { killedMongoStore } from '../support/crash/read-mongo-store.ts';
import { type KilledStore, runKills } from '../support/crash/run-kills.ts';
import { runStoreTroubles } from '../support/crash/run-store-troubles.ts';
import { hasMongoServer, startMongoServer } from '../support/mongo-server.ts';
import { makeTinyModel } from '../support/tiny-model.ts';

const kills = process.env['AMITY_TEST_LONG'] === '1' ? 50 : 4;
const seed = Number(process.env['SEED'] ?? 1);

describe(`a server that is killed ${kills} times keeps every promise`, () => {
  it('with the embedded store', () => expectPromises(), 600_000);

  it.runIf(hasMongoServer())(
    'with MongoDB',
    async () => {
      await using server = await startMongoServer();
      await expectPromises(killedMongoStore(server));
    },
    600_000,
  );
});

it.runIf(hasMongoServer() && process.env['MONGODB_URI'] === undefined)(
  'a database that is killed, gone or silent under load loses nothing that was acknowledged',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'amity-troubles-'));
    const models = join(directory, 'models');
    await makeTinyModel(join(models, 'tiny'), { kind: 'counting', endless: true });
    await using server = await startMongoServer();
    const [kills, outages] = process.env['AMITY_TEST_LONG'] === '1' ? [20, 20] : [1, 2];
    const report = await runStoreTroubles({
      ...{ server, kills, outages, senders: 8, seed, dataDirectory: join(directory, 'data') },
      env: {
        ...{ MODELS_DIR: models, MODEL: 'tiny', AMITY_THREADS: '1', AMITY_CANDIDATES: '1' },
        ...{ AMITY_REPLY_TOKENS_MAX: '20', AMITY_REPLY_TOKENS_SOFT_MAX: '20' },
      },
    });
    await rm(directory, { recursive: true, force: true });
    expect(report.violations, `SEED=${seed}`).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(20);
    expect(report.refused).toBeGreaterThan(0);
  },
  600_000,
);

async function expectPromises(store?: KilledStore): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'amity-kills-'));
  const modelsDirectory = join(directory, 'models');
  await makeTinyModel(join(modelsDirectory, 'tiny'), { kind: 'counting', endless: true });
  const report = await runKills({
    ...{ kills, people: 6, senders: 4, seed },
    dataDirectory: join(directory, 'data'),
    env: {
      MODELS_DIR: modelsDirectory,
      MODEL: 'tiny',
      AMITY_THREADS: '1',
      AMITY_REPLY_TOKENS_MAX: '300',
      AMITY_REPLY_TOKENS_SOFT_MAX: '300',
    },
    ...(store !== undefined && { store }),
  });
  await rm(directory, { recursive: true, force: true });
  expect(report.violations, `SEED=${seed}`).toEqual([]);
  // A run in which little happened proves little.
  expect(report.acknowledged).toBeGreaterThan(kills);
  expect(report.ends['done']).toBeGreaterThan(kills / 2);
  expect(report.ends['unfinished']).toBeUndefined();
}
