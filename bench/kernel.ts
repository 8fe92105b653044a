/**
 * What one step of the engine costs against what its matrix products cost alone (kernel/ceiling.ts), and how much of it is our own
 * JavaScript (everything but the run of the ONNX session: planning, feeding, writing keys and values, sampling, text).
 *
 *     npm run bench -- kernel [--threads 2] [--json]
 *
 * Requests of ten candidates (or of one) with prompts of 100 tokens, 40 steps of their replies. Step and ceiling are run in turn, so that
 * a noisy moment of the machine hits both.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { InferenceSession } from 'onnxruntime-node';
import { Engine } from '../src/engine/engine.ts';
import { OnnxRunner } from '../src/onnx/onnx-runner.ts';
import { openModel } from '../src/onnx/open-model.ts';
import { openSession } from '../src/onnx/session.ts';
import { openCeiling } from './kernel/ceiling.ts';
import { describeMachine, median } from './machine.ts';
import { renderBars } from './plot-bars.ts';

const { values } = parseArgs({
  options: { threads: { type: 'string', default: '2' }, json: { type: 'boolean', default: false } },
});
const batches = [
  { requests: 1, candidates: 1 },
  { requests: 1, candidates: 10 },
  { requests: 2, candidates: 10 },
  { requests: 20, candidates: 1 },
] as const;
const promptTokens = 100;
const steps = 40;
const rounds = 5;

const directory = fileURLToPath(new URL('../data/models/smollm2-135m-instruct', import.meta.url));
const { manifest, tokenizer } = await openModel(directory);
const graphPath = join(directory, manifest.files.graph.path);
const threads = Number(values.threads);
const session = await openSession(graphPath, { threads });
let sessionMs = 0;
const timed = {
  run: async (...args: Parameters<InferenceSession['run']>) => {
    const startedAt = performance.now();
    const outputs = await session.run(...args);
    sessionMs += performance.now() - startedAt;
    return outputs;
  },
  release: () => session.release(),
} as unknown as InferenceSession;
await using ceiling = await openCeiling(graphPath, threads);
await using runner = new OnnxRunner(timed, {
  shape: manifest.shape,
  topK: manifest.topK,
  slots: 20,
  positions: promptTokens + steps + 1,
});
await runner.warmUp();

interface Sample {
  readonly stepMs: number;
  readonly ownMs: number;
  readonly ceilingMs: number;
}
type Batch = (typeof batches)[number];
const samples = new Map<Batch, Sample[]>(batches.map((batch) => [batch, []]));
const prefills: number[] = [];
for (let round = 0; round < rounds; round++) {
  for (const batch of batches) samples.get(batch)?.push(...(await measure(batch, round)));
}

const rounded = (number: number) => Math.round(number * 100) / 100;
const result = {
  ...describeMachine(),
  model: manifest.name,
  weights: manifest.weights,
  threads,
  promptTokens,
  steps: batches.map((batch) => {
    const own = samples.get(batch) ?? [];
    const stepMs = median(own.map((sample) => sample.stepMs));
    const ownMs = median(own.map((sample) => sample.ownMs));
    const ceilingMs = median(own.map((sample) => sample.ceilingMs));
    return {
      ...batch,
      stepMs: rounded(stepMs),
      ceilingMs: rounded(ceilingMs),
      ofCeilingPercent: rounded(100 * median(own.map((sample) => sample.ceilingMs / sample.stepMs))),
      ownMs: rounded(ownMs),
      ownPercent: rounded((100 * ownMs) / stepMs),
      tokensPerSecond: Math.round((1000 * batch.requests * batch.candidates) / stepMs),
    };
  }),
  prefill: { tokens: promptTokens, ms: rounded(median(prefills)) },
};
writeFileSync(new URL('./results/kernel.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(
  new URL('./results/kernel.svg', import.meta.url),
  renderBars({
    title: 'Milliseconds of a step, of its kernel alone, and of our JavaScript',
    groups: result.steps.map(({ requests, candidates, stepMs, ceilingMs, ownMs }) => ({
      name: `${requests} x ${candidates}`,
      bars: [
        { name: 'step', value: stepMs },
        { name: 'kernel alone', value: ceilingMs },
        { name: 'our JavaScript', value: ownMs },
      ],
    })),
  }),
);
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.table(result.steps);
  console.log(`prefill of ${promptTokens} tokens: ${result.prefill.ms} ms`);
}

/** Fills the batch, then times its steps, each beside a run of the ceiling; prompts differ, and nothing ends a reply early. */
async function measure({ requests, candidates }: Batch, round: number): Promise<Sample[]> {
  const vocabulary = { ...tokenizer.vocabulary, isEnd: () => false };
  const limits = { queueMax: requests, prefillTokensMax: 128, chunkTokens: 64 };
  const engine = new Engine({ runner, vocabulary }, limits);
  for (let index = 0; index < requests; index++) {
    const prompt = Int32Array.from(
      { length: promptTokens },
      (_, i) => 1000 + ((i * 37 + index * 101 + round) % 40_000),
    );
    const sampling = { temperature: 0.8, topK: 40, topP: 0.95, repetitionPenalty: 1.1, seed: index };
    engine.submit({
      id: String(index),
      prompt,
      selection: { kind: 'all', candidates },
      tokensMax: steps + 1,
      stop: ['\nUser:'],
      sampling,
    });
    const startedAt = performance.now();
    await engine.step();
    if (index === 0) prefills.push(performance.now() - startedAt);
  }
  const own: Sample[] = [];
  for (let step = 0; step < steps - requests; step++) {
    sessionMs = 0;
    const startedAt = performance.now();
    await engine.step();
    const stepMs = performance.now() - startedAt;
    const ownMs = stepMs - sessionMs;
    own.push({ stepMs, ownMs, ceilingMs: await ceiling.run(requests * candidates) });
  }
  for (let index = 0; index < requests; index++) engine.cancel(String(index));
  await engine.step();
  return own;
}
