/**
 * From a naive export to the engine, one change a rung: what each is worth.
 *
 *     npm run bench -- ladder [--rounds 3] [--threads 2] [--from <folder or .gguf>] [--json]
 *
 * One request of 10 candidates, prompt 100 tokens, 40 tokens each; and 12 such requests at the same moment. Below the rung of batching
 * candidates are written one after another, so one is timed and counted ten times, and a crowd takes as long as its requests in turn.
 * Racing writes fewer tokens of the losers, and a reply is over when its winner is. All rungs in turn, medians.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { HostCache } from '../src/onnx/export-cache.ts';
import { ExportRunner } from '../src/onnx/export-runner.ts';
import { openRunner } from '../src/onnx/open-runner.ts';
import { openSession } from '../src/onnx/session.ts';
import { openTokenizer } from '../src/onnx/tokenizer.ts';
import { findCheckpoint } from './checkpoint.ts';
import {
  asBatch,
  type Measure,
  type Work,
  withCache,
  withoutCache,
  withSharedPrefill,
} from './ladder/in-turn.ts';
import { type Choice, type Crowd, runCrowd } from './ladder/with-engine.ts';
import { describeMachine, median } from './machine.ts';
import { meaninglessPrompt } from './meaningless.ts';
import { emptyCache, makeOwnModel, writeExport } from './peers/models.ts';
import { renderBars } from './plot-bars.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    from: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const threads = Number(values.threads);
const [promptTokens, replyTokens, candidates, crowdSize] = [100, 40, 10, 12];
const size = { slots: 20, positions: promptTokens + replyTokens + 1 };

process.stderr.write('Converting the checkpoint for each rung\n');
const parent = await emptyCache('ladder');
const fetched = await findCheckpoint(values.from);
const [exportFp32, exportNb8] = [await openExport('fp32'), await openExport('nb8')];
const { directory, manifest } = await makeOwnModel(fetched, { parent, weights: 'nb8' });
const own = await openRunner({ directory, manifest, threads, ...size });
await own.warmUp();
const { vocabulary } = await openTokenizer(directory, manifest);
const model = { runner: own, vocabulary: { ...vocabulary, isEnd: () => false } };

interface Rung {
  readonly name: string;
  readonly change: string;
  /** Milliseconds for one request. */
  readonly request: Measure;
  /** A crowd of requests; without one they take their turns. */
  readonly crowd?: (work: Work) => Promise<Crowd>;
}
const rungs: readonly Rung[] = [
  {
    name: 'naive export',
    change: 'float32, everything computed again for each token',
    request: withoutCache(exportFp32),
  },
  { name: 'KV cache', change: 'keys and values are kept', request: withCache(exportFp32) },
  { name: 'nb8', change: 'weights of 8 bits', request: withCache(exportNb8) },
  {
    name: 'fused graph',
    change: 'our graph: fused operators, the cache is only read',
    request: withCache(own),
  },
  {
    name: 'shared prefill',
    change: 'the prompt is read once for all candidates',
    request: withSharedPrefill(own),
  },
  { name: 'batching', change: 'candidates are one batch', request: asBatch(own) },
  { name: 'shared prompt', change: "the prompt's keys and values are there once", ...engineRung('all') },
  { name: 'racing', change: 'losers stop early, the winner goes on', ...engineRung('race') },
  { name: 'adaptive n', change: 'fewer candidates while others wait', ...engineRung('adaptive race') },
];

const requestMs = new Map(rungs.map(({ name }) => [name, [] as number[]]));
const crowds = new Map(rungs.map(({ name }) => [name, [] as Crowd[]]));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const rung of rungs) {
    const work = workOf(round);
    requestMs.get(rung.name)?.push(await rung.request(work));
    if (rung.crowd !== undefined) crowds.get(rung.name)?.push(await rung.crowd(work));
    process.stderr.write(`round ${round + 1}: ${rung.name}\n`);
  }
}

const rows = rungs.map(({ name, change }) => {
  const ms = median(requestMs.get(name) ?? []);
  const own = crowds.get(name) ?? [];
  const perSecond =
    own.length === 0 ? 1000 / ms : median(own.map((crowd) => (1000 * crowd.replies) / crowd.ms));
  return {
    name,
    change,
    requestMs: Math.round(ms),
    repliesPerSecond: round2(perSecond),
    candidatesPerReply:
      own.length === 0 ? candidates : round2(median(own.map((crowd) => crowd.candidates / crowd.replies))),
  };
});
const result = {
  ...describeMachine(),
  threads,
  rounds: Number(values.rounds),
  promptTokens,
  replyTokens,
  candidates,
  crowdSize,
  rows: rows.map((row, place) => ({
    ...row,
    timesTheRungBelow: {
      request: round2((rows[place - 1]?.requestMs ?? row.requestMs) / row.requestMs),
      crowd: round2(row.repliesPerSecond / (rows[place - 1]?.repliesPerSecond ?? row.repliesPerSecond)),
    },
  })),
};
const results = fileURLToPath(new URL('results/', import.meta.url));
await writeFile(join(results, 'ladder.json'), `${JSON.stringify(result, null, 2)}\n`);
await writeFile(
  join(results, 'ladder.svg'),
  renderBars({
    title: 'Replies per second, ten candidates each (prompt 100, reply 40)',
    groups: rows.map(({ name, repliesPerSecond, change }) => ({
      name: `${name}: ${change}`,
      bars: [{ name: '', value: repliesPerSecond }],
    })),
  }),
);
if (values.json) console.log(JSON.stringify(result, null, 2));
else console.table(rows);
for (const runner of [exportFp32, exportNb8, own]) await runner[Symbol.asyncDispose]();

async function openExport(weights: 'fp32' | 'nb8'): Promise<ExportRunner> {
  const path = join(parent, `export-${weights}.onnx`);
  await using checkpoint = await fetched.open();
  const shape = await writeExport(checkpoint, { path, weights });
  return new ExportRunner(await openSession(path, { threads }), new HostCache(shape), {
    shape,
    topK: 50,
    ...size,
  });
}

function engineRung(choice: Choice): Pick<Rung, 'request' | 'crowd'> {
  return {
    request: async (work) => (await runCrowd(model, work, { requests: 1, choice })).ms,
    crowd: (work) => runCrowd(model, work, { requests: crowdSize, choice }),
  };
}

function workOf(round: number): Work {
  const prompt = meaninglessPrompt(promptTokens, round);
  const sampling = { temperature: 0.8, topK: 40, topP: 0.95, repetitionPenalty: 1.1, seed: round };
  return { prompt, candidates, replyTokens, sampling };
}

function round2(number: number): number {
  return Math.round(number * 100) / 100;
}
