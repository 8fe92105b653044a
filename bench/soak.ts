/**
 * Half an hour of everything at once, and what becomes of the server's memory.
 *
 *     npm run bench -- soak [--minutes 30] [--settle 10] [--collected | --compacted] [--json]
 *
 * People who talk and go after some turns, people who stop replies, people who ask for another reply, and programs at the completions
 * endpoint, streamed and not, with one and several choices; default settings, default model. Resident memory is read every five
 * seconds; after the time to settle, a line is fitted through the means of each minute. Its 95 % interval is that of Student's t.
 *
 * V8 lets garbage pile up and gives memory back at moments of its own choice, some 40 MB at once, which hides a slow leak or looks like one.
 * With --collected every thread of the server collects its garbage every five seconds, so that what is left is what is held; the result then
 * goes to soak-collected.json. With --compacted it also closes the holes that this leaves in the heap (soak-compacted.json).
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { openings } from './people/openings.ts';
import { renderChart } from './plot.ts';
import { startServerProcess } from './server-process.ts';
import { type Actor, asker, passerBy, programmer, stopper } from './soak/actors.ts';
import { fitLine } from './soak/fit-line.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    settle: { type: 'string', default: '10' },
    collected: { type: 'boolean', default: false },
    compacted: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const sampleMs = 5000;
const [minutes, settle] = [Number(values.minutes), Number(values.settle)];
const actors: readonly Actor[] = [
  passerBy,
  passerBy,
  passerBy,
  passerBy,
  stopper,
  stopper,
  asker,
  asker,
  programmer,
  programmer,
];

const collector = `
  import v8 from 'node:v8';
  import vm from 'node:vm';
  v8.setFlagsFromString('--expose-gc');
  ${values.compacted ? "v8.setFlagsFromString('--compact-on-every-full-gc');" : ''}
  setInterval(vm.runInNewContext('gc'), ${sampleMs}).unref();`;
const isCollected = values.collected || values.compacted;
const nodeOptions = isCollected ? `--import=data:text/javascript,${encodeURIComponent(collector)}` : '';
await using server = await startServerProcess({ NODE_OPTIONS: nodeOptions, RATE_LIMITS: 'on' });
const startedAt = performance.now();
const elapsed = () => (performance.now() - startedAt) / 60_000;
const until = startedAt + minutes * 60_000;
const sampling = sampleMemory();
const done = await Promise.all(
  actors.map((act, seed) => act({ url: server.url, lines: openings, seed, until })),
);
const samples = await sampling;
const last = await server.figures();

const means = perMinute(samples.filter(([at]) => at >= settle && at < minutes));
const line = fitLine(means);
const result = {
  ...describeMachine(),
  isCollected,
  isCompacted: values.compacted,
  minutes,
  settle,
  turns: done.reduce((sum, { turns }) => sum + turns, 0),
  refusals: done.reduce((sum, { refusals }) => sum + refusals, 0),
  errors: done.flatMap(({ errors }) => errors),
  tokens: last.tokens,
  residentMb: samples.map(([at, megabytes]) => [round(at), round(megabytes)]),
  afterSettling: {
    minutes: means.length,
    growthMb: round(line.slope * means.length),
    slopeMbPerMinute: round(line.slope),
    interval: [round(line.low), round(line.high)],
  },
};
const name = ['soak', values.compacted ? '-compacted' : isCollected ? '-collected' : ''].join('');
writeFileSync(new URL(`./results/${name}.json`, import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
writeFileSync(
  new URL(`./results/${name}.svg`, import.meta.url),
  renderChart({
    title: 'Resident memory under mixed load',
    panels: [
      {
        x: { label: 'minutes' },
        y: { label: 'MB', from: 0 },
        series: [{ name: 'resident', kind: 'line', points: samples }],
        marks: [{ at: settle, name: 'counted from here' }],
      },
    ],
  }),
);
console.log(JSON.stringify(values.json ? result : { ...result, residentMb: undefined }, null, 2));
process.exitCode = result.errors.length === 0 ? 0 : 1;

async function sampleMemory(): Promise<[number, number][]> {
  const samples: [number, number][] = [];
  while (performance.now() < until) {
    const { residentBytes } = await server.figures();
    samples.push([elapsed(), residentBytes / 1e6]);
    await pause(sampleMs);
  }
  return samples;
}

/** Means of whole minutes: what is read every few seconds depends on what was read before. */
function perMinute(samples: readonly (readonly [number, number])[]): [number, number][] {
  const minutesSeen = [...new Set(samples.map(([at]) => Math.floor(at)))];
  return minutesSeen.map((minute) => {
    const own = samples.filter(([at]) => Math.floor(at) === minute);
    return [minute, own.reduce((sum, [, megabytes]) => sum + megabytes, 0) / own.length];
  });
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}
