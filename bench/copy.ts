/**
 * `amity db copy` from the embedded store to MongoDB and back, killed on its way: whether both hold the same at last.
 *
 *     npm run bench -- copy [--messages 200000] [--kills 20] [--seed 1]
 *
 * Half of the kills come on each way. The stores are compared by the checksum of all their records, as this process reads them.
 * test/integration/db-copy.test.ts is a short run of it.
 */
import { statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { uniformAt } from '../src/engine/uniform.ts';
import { openEmbeddedStore } from '../src/storage/embedded/embedded-store.ts';
import { copyThroughKills, fillStore, summaryOf } from '../test/support/crash/copy-kills.ts';
import { startMongoServer } from '../test/support/mongo-server.ts';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '200000' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
});
const [messages, kills, seed] = [values.messages, values.kills, values.seed].map(Number) as [
  number,
  number,
  number,
];
let drawn = 0;
const pick = (below: number) => Math.floor(uniformAt(seed, 1, drawn++) * below);
const dataDirectory = await mkdtemp(join(tmpdir(), 'amity-copy-'));
const at = Date.now();
const file = join(dataDirectory, 'amity.db');
const original = await summaryIn(file, (store) => fillStore(store, messages));
await using server = await startMongoServer();
const uri = server.newDatabase();
const back = join(dataDirectory, 'back.db');
const ways = [];
for (const [from, to] of [
  ['embedded', uri],
  [uri, `embedded:${back}`],
] as const) {
  const began = performance.now();
  const onKill = (count: number) => process.stderr.write(`\r${ways.length + 1} of 2 ways, ${count} kills `);
  // A copy of so many messages takes a minute or more; one that ended before its last kill would be an error.
  const expectedMs = messages / 10;
  const report = await copyThroughKills({
    ...{ from, to, dataDirectory, kills: kills / 2, pick, expectedMs, onKill },
  });
  ways.push({ ...report, seconds: Math.round((performance.now() - began) / 1000) });
}
process.stderr.write('\n');
const copied = await summaryIn(back, async () => {});
const isSame = copied.checksum === original.checksum;
const bytes = statSync(file).size;
await rm(dataDirectory, { recursive: true, force: true });
const result = { ...describeMachine(), messages, bytes, kills, isSame, original, copied, ways };
writeFileSync(new URL('results/copy.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
process.exitCode = isSame ? 0 : 1;

async function summaryIn(
  path: string,
  fill: (store: Awaited<ReturnType<typeof openEmbeddedStore>>) => Promise<void>,
) {
  await using store = await openEmbeddedStore({ file: path });
  await fill(store);
  return await summaryOf(store, at);
}
