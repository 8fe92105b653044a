/**
 * The engine on a GPU: tokens per second of 1, 10 and 20 candidates, and requests per second of 10 candidates with 100 tokens in and 100 out.
 *
 *     npm run bench -- gpu --provider webgpu [--models smollm2,gpt2-large] [--weights fp16] [--tokens 100] [--rounds 5] [--json]
 *
 * Models: the default checkpoint, and a GPT-2 of the size of "large" with random weights, in half precision; WebGPU gets the export
 * layout, whose cache stays on the device, other providers our own. Beside each, the processor with 8-bit weights, in turn. A provider
 * that cannot be had ends the measurement with its reason: nothing falls back here.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { WeightName } from '../models/convert.ts';
import type { FetchedCheckpoint } from '../models/sources/source.ts';
import type { LoadedRunner } from '../src/onnx/loaded-runner.ts';
import { openRunner } from '../src/onnx/open-runner.ts';
import type { Provider } from '../src/onnx/session.ts';
import { findCheckpoint } from './checkpoint.ts';
import { gpt2Large, randomGpt2 } from './gpu/random-gpt2.ts';
import { runCrowd } from './ladder/with-engine.ts';
import { describeMachine, median } from './machine.ts';
import { meaninglessPrompt } from './meaningless.ts';
import { emptyCache, makeOwnModel } from './peers/models.ts';

const { values } = parseArgs({
  options: {
    provider: { type: 'string', default: 'webgpu' },
    models: { type: 'string', default: 'smollm2,gpt2-large' },
    weights: { type: 'string', default: 'fp16' },
    tokens: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    from: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const provider = values.provider as Provider;
const tokens = Number(values.tokens);
const [candidateCounts, crowdSize, rows] = [[1, 10, 20], 6, 20];
const say = (text: string) => process.stderr.write(`${text}\n`);

const checkpoints: Readonly<Record<string, () => Promise<FetchedCheckpoint>>> = {
  smollm2: () => findCheckpoint(values.from),
  'gpt2-large': async () => ({
    open: async () => randomGpt2(gpt2Large),
    source: { kind: 'synthetic', reference: 'bench/gpu' },
  }),
};

const models = [];
for (const name of values.models.split(',')) {
  const find = checkpoints[name];
  if (find === undefined)
    throw new Error(`There is no model "${name}" here: ${Object.keys(checkpoints).join(', ')}`);
  say(`${name}: converting`);
  models.push({ name, rows: await measureModel(await find()) });
}
const result = { ...describeMachine(), provider, weights: values.weights, tokens, models };
await writeFile(
  fileURLToPath(new URL(`./results/gpu-${provider}.json`, import.meta.url)),
  `${JSON.stringify(result, null, 2)}\n`,
);
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  for (const model of models) {
    console.log(model.name);
    console.table(model.rows);
  }
}

async function measureModel(fetched: FetchedCheckpoint) {
  const parent = await emptyCache('gpu');
  const layout = provider === 'webgpu' ? 'export' : 'd5';
  const weights = values.weights as WeightName;
  const onGpu = await makeOwnModel(fetched, { parent, weights, layout });
  const onCpu = await makeOwnModel(fetched, { parent, weights: 'nb8' });
  const size = { threads: Number(values.threads), slots: rows, positions: 2 * tokens + 2 };
  const gpu = await openRunner({ ...onGpu, ...size, provider });
  const cpu = await openRunner({ ...onCpu, ...size });
  for (const runner of [gpu, cpu]) for (const note of await runner.warmUp()) say(note);
  const measured = [];
  for (const candidates of candidateCounts) {
    say(`${candidates} candidates`);
    const perSecond = await inTurn([gpu, cpu], (runner, round) => tokensPerSecond(runner, candidates, round));
    measured.push({
      what: `tokens/s, ${candidates} candidates`,
      [provider]: perSecond[0],
      cpu: perSecond[1],
    });
  }
  say('a crowd');
  const requests = await inTurn([gpu, cpu], requestsPerSecond);
  measured.push({ what: 'requests/s, 10 candidates', [provider]: requests[0], cpu: requests[1] });
  for (const runner of [gpu, cpu]) await runner[Symbol.asyncDispose]();
  return measured;
}

/** Medians, after a run of each that is not counted. */
async function inTurn(
  runners: readonly LoadedRunner[],
  measure: (runner: LoadedRunner, round: number) => Promise<number>,
): Promise<number[]> {
  const found = runners.map(() => [] as number[]);
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [place, runner] of runners.entries()) {
      const value = await measure(runner, round);
      if (round > 0) found[place]?.push(value);
    }
  }
  return found.map((own) => Math.round(100 * median(own)) / 100);
}

async function tokensPerSecond(runner: LoadedRunner, candidates: number, round: number): Promise<number> {
  const { ms } = await run(runner, { candidates, requests: 1, round });
  return (1000 * candidates * tokens) / ms;
}

async function requestsPerSecond(runner: LoadedRunner, round: number): Promise<number> {
  const { ms } = await run(runner, { candidates: 10, requests: crowdSize, round });
  return (1000 * crowdSize) / ms;
}

function run(
  runner: LoadedRunner,
  { candidates, requests, round }: { candidates: number; requests: number; round: number },
) {
  // Random weights write anything, so no text is made and nothing ends early.
  const vocabulary = { size: 50_000, tokenBytes: () => Uint8Array.of(97), isEnd: () => false };
  const prompt = meaninglessPrompt(tokens, round);
  const sampling = { temperature: 0.8, topK: 40, topP: 0.95, repetitionPenalty: 1.1, seed: round };
  return runCrowd(
    { runner, vocabulary },
    { prompt, candidates, replyTokens: tokens, sampling },
    { requests, choice: 'all' },
  );
}
