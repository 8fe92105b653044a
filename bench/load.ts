/**
 * Open-loop load: people come when they come, whether the server keeps up or not, and every time is counted from the moment for which
 * an arrival was scheduled. The server is a process of its own with default settings and the real model; this process is the people,
 * each new, with a socket opened beforehand and one thing to say.
 *
 *     npm run bench -- load [--factors 0.1,0.5,1,3,0.5,0.1] [--seconds 40] [--capacity R] [--trace FILE] [--seed 1] [--json]
 *                           [--queue-max N] [--name load]
 *
 * Without `--capacity` (replies/s) it is measured first: as many people at a time as keep all rows busy, the next coming when a reply
 * ends. `--trace` has a time in seconds on each line in place of the Poisson arrivals. `--queue-max` sets AMITY_QUEUE_MAX: a short queue refuses
 * where the default one lets the level rise to canned lines. Raw results and plot go to results/NAME.json and results/NAME.svg.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { settings } from '../src/config/schema.ts';
import { poissonArrivals, traceArrivals } from './load/arrivals.ts';
import { measureCapacity } from './load/capacity.ts';
import { renderLoadChart } from './load/chart.ts';
import { type Attempt, openPeople } from './load/person.ts';
import { recoverySeconds, type Sample, summarizePhase } from './load/summarize.ts';
import { describeMachine, quantile } from './machine.ts';
import { openings } from './people/openings.ts';
import { startServerProcess } from './server-process.ts';

const { values } = parseArgs({
  options: {
    factors: { type: 'string', default: '0.1,0.5,1,3,0.5,0.1' },
    seconds: { type: 'string', default: '40' },
    capacity: { type: 'string' },
    trace: { type: 'string' },
    'queue-max': { type: 'string' },
    name: { type: 'string', default: 'load' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);

const queueMax = values['queue-max'];
await using server = await startServerProcess(queueMax === undefined ? {} : { AMITY_QUEUE_MAX: queueMax });
const capacity = values.capacity === undefined ? await measureCapacity(server.url) : Number(values.capacity);
await idle();
const { phases, times } =
  values.trace === undefined
    ? poissonArrivals(
        { factors: values.factors.split(',').map(Number), seconds: Number(values.seconds), rate: capacity },
        seed,
      )
    : traceArrivals(values.trace);
const people = await openPeople(server.url, times.length);

const began = performance.now();
const clock = () => (performance.now() - began) / 1000;
const samples: Sample[] = [];
const watching = watch();
const attempts: Attempt[] = await Promise.all(
  times.map(async (at, index) => {
    await pause(Math.max(0, (at - clock()) * 1000));
    using person = people[index]!;
    return await person.say(openings[index % openings.length]!, { at, clock });
  }),
);
await idle();
await watching;

const summaries = phases.map((phase) => summarizePhase(phase, attempts, samples));
const overload = phases.find(({ name }) => name === '3x');
const calm = summaries.find(({ phase }) => phase === '0.5x');
const result = {
  ...describeMachine(),
  queueMax: Number(queueMax ?? settings.AMITY_QUEUE_MAX.fallback),
  capacityPerSecond: Math.round(capacity * 100) / 100,
  arrivals: attempts.length,
  wrongs: attempts.flatMap(({ wrongs }) => wrongs),
  unanswered: attempts.filter(({ outcome, refused }) => outcome === null && refused === null).length,
  refusedWithoutRetryAfter: attempts.filter((one) => one.refused !== null && one.retryAfterMs === null)
    .length,
  phases: summaries,
  verdicts: {
    goodputAtOverload: share(
      summaries.find(({ phase }) => phase === '3x')?.goodputPerSecond,
      Math.max(...summaries.map(({ goodputPerSecond }) => goodputPerSecond)),
    ),
    refusalMs: {
      p99: quantile(refusalTimes(), 0.99),
      max: Math.round(Math.max(0, ...refusalTimes())),
    },
    recoverySeconds:
      overload === undefined || calm === undefined
        ? null
        : recoverySeconds(attempts, {
            overloadEnd: overload.to,
            candidates: settings.AMITY_CANDIDATES.fallback,
            firstTextMs: calm.firstTextMs.p99,
          }),
  },
};
const target = (name: string) => new URL(`results/${name}`, import.meta.url);
writeFileSync(target(`${values.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(target(`${values.name}.svg`), renderLoadChart(phases, attempts, samples));
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.table(summaries.map(toRow));
  console.log({ ...result, phases: undefined });
}
process.exitCode = result.wrongs.length + result.unanswered === 0 ? 0 : 1;

function refusalTimes(): number[] {
  return attempts.filter(({ refused }) => refused !== null).map(({ ackMs }) => ackMs);
}

function share(part: number | undefined, whole: number): number | null {
  return part === undefined ? null : Math.round((100 * part) / whole) / 100;
}

/** Until nobody is answered and the level is the usual one. */
async function idle(): Promise<void> {
  for (;;) {
    const { replies, running, level } = await server.figures();
    if (replies === 0 && running === 0 && level <= 1) return;
    await pause(200);
  }
}

/** The server's figures each half second, until the last phase is over. */
async function watch(): Promise<void> {
  const end = phases.at(-1)!.to;
  while (clock() < end) {
    const at = clock();
    samples.push({ at, ...(await server.figures()) });
    await pause(500);
  }
}

function toRow(summary: (typeof summaries)[number]) {
  const text = ({ p50, p99, max }: { p50: number; p99: number; max: number }) => `${p50} / ${p99} / ${max}`;
  const { phase, arrivalsPerSecond, goodputPerSecond, canned, refused, failed, candidates, tokensPerSecond } =
    summary;
  return {
    phase,
    arrivals: arrivalsPerSecond,
    goodput: goodputPerSecond,
    canned,
    refused,
    failed,
    'first text': text(summary.firstTextMs),
    whole: text(summary.wholeMs),
    gap: text(summary.gapMs),
    refusal: text(summary.refusalMs),
    n: candidates,
    level: summary.level.mean,
    'tokens/s': tokensPerSecond,
    rows: summary.rows,
    MB: summary.residentMb,
  };
}
