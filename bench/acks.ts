/**
 * How long an acknowledgement takes with ten thousand connections, beside Socket.IO alone.
 *
 *     npm run bench -- acks [--connections 10000] [--rate 3000] [--seconds 15] [--rounds 3] [--mongo] [--json]
 *
 * `echo` acknowledges with what it gets; `gateway` is ours with a store that keeps nothing; `store` is ours with the embedded store, so that an
 * acknowledgement waits for the disk; generation is off in these. `everything` is the server as it is run, with the default model. Servers in turn, a
 * process and fresh connections each; clients are raw WebSocket frames in an open loop. Ratios are taken within a round; medians of rounds. Resident memory
 * is that of the server's process, after collecting garbage but for `everything`. Another rate goes to a result of its own. --mongo: the echo,
 * the embedded store and a store on MongoDB, the server that the tests use, on this machine; with --connections 1000 --rate 50.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { drive } from './acks/drive.ts';
import { type Kind, kinds, startAckServer, storeKinds } from './acks/start.ts';
import { describeMachine, median } from './machine.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '3000' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '3' },
    mongo: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const [connections, perSecond, seconds, rounds] = [
  values.connections,
  values.rate,
  values.seconds,
  values.rounds,
].map(Number) as [number, number, number, number];
type Measured = Awaited<ReturnType<typeof measure>>;

const measured: Record<Kind, Measured[]> = { echo: [], gateway: [], store: [], everything: [], mongo: [] };
const measuredKinds: readonly Kind[] = values.mongo ? storeKinds : kinds;
for (let round = 0; round < rounds; round += 1)
  for (const kind of measuredKinds) {
    process.stderr.write(`round ${round + 1} of ${rounds}: ${kind}\n`);
    measured[kind].push(await measure(kind));
  }

const rows = measuredKinds.map((kind) => {
  const own = measured[kind];
  const ratio = (of: (one: Measured) => number) =>
    round(median(own.map((one, index) => of(one) / of(measured.echo[index] ?? one))));
  return {
    server: kind,
    'ack p50, ms': round(median(own.map(({ p50 }) => p50))),
    'ack p99, ms': round(median(own.map(({ p99 }) => p99))),
    'p50 against echo': ratio(({ p50 }) => p50),
    'p99 against echo': ratio(({ p99 }) => p99),
    refused: own.reduce((sum, { refused }) => sum + refused, 0),
    'CPU of the server, cores': round(median(own.map(({ cores }) => cores))),
    'KB for an idle connection': round(median(own.map(({ idleKb }) => idleKb))),
  };
});
const result = { ...describeMachine(), connections, perSecond, seconds, rounds, rows, measured };
const name = ['acks', values.mongo ? 'mongo' : '', values.rate === '3000' ? '' : values.rate]
  .filter((part) => part !== '')
  .join('-');
writeFileSync(new URL(`results/${name}.json`, import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
if (values.json) console.log(JSON.stringify(result, null, 2));
else console.table(rows);

async function measure(kind: Kind) {
  await using server = await startAckServer(kind);
  const { port, tokenOf } = server;
  const before = await server.state();
  let connected = before;
  let began = 0;
  const { latencies, refused, unanswered } = await drive({
    ...{ port, tokenOf, connections, perSecond, seconds },
    connected: async () => {
      connected = await server.state();
      began = performance.now();
    },
  });
  const spentMs = (await server.state()).cpuMs - connected.cpuMs;
  const quantile = (share: number) => round(latencies[Math.floor(share * latencies.length)] ?? 0);
  return {
    ...{ p50: quantile(0.5), p99: quantile(0.99), max: round(latencies.at(-1) ?? 0) },
    ...{ refused, unanswered },
    cores: round(spentMs / (performance.now() - began)),
    idleKb: round((connected.residentBytes - before.residentBytes) / connections / 1000),
  };
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}
