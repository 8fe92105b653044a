/**
 * A hundred devices that do not read, and what it costs the others and the memory.
 *
 *     npm run bench -- stalls [--devices 100] [--seconds 10] [--rounds 3] [--json]
 *
 * Each opens its conversation of some 100 KB, and its user says something on another device every second, so that replies and events come to both. In one
 * phase they read what comes, in the other they read nothing; in both, others ask for small conversations 200 times a second, in an open loop. Phases in
 * turn; the ratio of the others' p99 is taken within a round. Memory is resident memory above that at the beginning of the phase: the highest, and what is
 * held at the end without garbage; at the beginning garbage was collected, too.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeTinyModel } from '../test/support/tiny-model.ts';
import { guestsAt, openGuest } from '../test/support/wire-client.ts';
import { LightClient } from './light/light-client.ts';
import { describeMachine, median } from './machine.ts';
import { startServerProcess } from './server-process.ts';

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const [devices, seconds, rounds] = [values.devices, values.seconds, values.rounds].map(Number) as [
  number,
  number,
  number,
];
const [othersCount, othersPerSecond, turns] = [20, 200, 40];
const sampleMs = 250;

const models = await mkdtemp(join(tmpdir(), 'amity-stalls-'));
await makeTinyModel(join(models, 'tiny'), { kind: 'counting' });
const collector = `import v8 from 'node:v8'; import vm from 'node:vm'; v8.setFlagsFromString('--expose-gc');
  process.on('SIGUSR2', vm.runInNewContext('gc'));`;
await using server = await startServerProcess({
  ...{ MODELS_DIR: models, MODEL: 'tiny', AMITY_CANDIDATES: '1' },
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(collector)}`,
});
const port = Number(new URL(server.url).port);
const tokens: string[] = [];
while (tokens.length < devices)
  tokens.push(...(await Promise.all(Array.from({ length: Math.min(10, devices - tokens.length) }, prepare))));
const others = await Promise.all(Array.from({ length: othersCount }, async () => open(await newToken())));

const measured: { reading: Phase; stalled: Phase }[] = [];
for (let round = 0; round < rounds; round += 1)
  measured.push({ reading: await phase(false), stalled: await phase(true) });
await rm(models, { recursive: true });
for (const other of others) other.close();

const of = (figure: (one: (typeof measured)[number]) => number) =>
  Math.round(median(measured.map(figure)) * 100) / 100;
const result = {
  ...describeMachine(),
  ...{ devices, seconds, rounds },
  othersP99Ms: { reading: of(({ reading }) => reading.p99), stalled: of(({ stalled }) => stalled.p99) },
  ratio: of(({ reading, stalled }) => stalled.p99 / reading.p99),
  extraMb: { reading: of(({ reading }) => reading.extraMb), stalled: of(({ stalled }) => stalled.extraMb) },
  heldMb: { reading: of(({ reading }) => reading.heldMb), stalled: of(({ stalled }) => stalled.heldMb) },
  measured,
};
writeFileSync(new URL('results/stalls.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(values.json ? result : { ...result, measured: undefined }, null, 2));

/** A user with a long conversation. @returns the token */
async function prepare(): Promise<string> {
  await using guest = await openGuest(guestsAt(server.url));
  for (let turn = 0; turn < turns; turn += 1) await guest.talk('x'.repeat(2000));
  return guest.token;
}

async function newToken(): Promise<string> {
  return (await guestsAt(server.url).guest()).token;
}

function open(token: string): Promise<LightClient> {
  return LightClient.open(port, token, '10.0.0.1');
}

interface Phase {
  readonly p99: number;
  readonly extraMb: number;
  readonly heldMb: number;
  readonly cutOff: number;
}

async function phase(isStalled: boolean): Promise<Phase> {
  const clients = await Promise.all(tokens.map(open));
  const talkers = await Promise.all(tokens.map(open));
  const before = await heldBytes();
  for (const client of clients) {
    client.call('conversation:open', { limit: 100 }, () => {});
    if (isStalled) client.stall();
  }
  let next = 0;
  const talking = setInterval(() => {
    const said = { clientMessageId: crypto.randomUUID(), text: 'Tell me more. '.repeat(20) };
    talkers[next++ % devices]?.call('message:send', said, () => {});
  }, 1000 / devices);
  let highest = before;
  const until = performance.now() + seconds * 1000;
  const sampling = (async () => {
    while (performance.now() < until) {
      highest = Math.max(highest, (await server.figures()).residentBytes);
      await pause(sampleMs);
    }
  })();
  const latencies = await askInOpenLoop(seconds);
  await sampling;
  clearInterval(talking);
  const held = await heldBytes();
  const { connections } = await server.figures();
  for (const client of [...clients, ...talkers]) client.close();
  while ((await server.figures()).connections > othersCount) await pause(sampleMs);
  return {
    p99: latencies[Math.floor(0.99 * latencies.length)] ?? 0,
    extraMb: (highest - before) / 1e6,
    heldMb: (held - before) / 1e6,
    cutOff: 2 * devices + othersCount - connections,
  };
}

/** Resident memory without garbage. */
async function heldBytes(): Promise<number> {
  server.child.kill('SIGUSR2');
  await pause(sampleMs);
  return (await server.figures()).residentBytes;
}

/** @returns milliseconds from the planned moment to the answer, sorted. */
async function askInOpenLoop(duration: number): Promise<readonly number[]> {
  const total = duration * othersPerSecond;
  const latencies: number[] = [];
  const began = performance.now();
  await new Promise<void>((resolve) => {
    let sent = 0;
    const tick = () => {
      const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * othersPerSecond));
      for (; sent < due; sent += 1) {
        const planned = began + (sent * 1000) / othersPerSecond;
        others[sent % othersCount]?.call('conversation:open', {}, (at) => {
          if (latencies.push(at - planned) === total) resolve();
        });
      }
      if (sent < total) setTimeout(tick, 1);
    };
    tick();
  });
  return latencies.sort((a, b) => a - b);
}
