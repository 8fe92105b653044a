/**
 * What one step of the engine costs: sequences that decode together with 150 tokens of past, and how much of it is our own
 * JavaScript (everything but the run of the ONNX session: planning, feeding, writing keys and values, sampling, text).
 *
 *     npm run bench:step -- [--threads 2] [--json]
 *
 * Each batch size is measured in turn, several rounds, so that a noisy moment of the machine hits all of them.
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
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: { threads: { type: 'string', default: '2' }, json: { type: 'boolean', default: false } },
});
const batches = [1, 10, 20];
const pastTokens = 150;
const steps = 40;
const rounds = 5;

const directory = fileURLToPath(new URL('../data/models/smollm2-135m-instruct', import.meta.url));
const { manifest, tokenizer } = await openModel(directory);
const session = await openSession(join(directory, manifest.files.graph.path), Number(values.threads));
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
await using runner = new OnnxRunner(timed, {
  graphPath: '',
  shape: manifest.shape,
  topK: manifest.topK,
  threads: Number(values.threads),
  slots: Math.max(...batches),
  positions: pastTokens + 2 * steps,
});
await runner.warmUp();

interface Sample {
  readonly stepMs: number;
  readonly ownMs: number;
}
const samples = new Map<number, Sample[]>(batches.map((batch) => [batch, []]));
const prefills: number[] = [];
for (let round = 0; round < rounds; round++) {
  for (const batch of batches) samples.get(batch)?.push(...(await measure(batch, round)));
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
const rounded = (number: number) => Math.round(number * 100) / 100;
const result = {
  ...describeMachine(),
  model: manifest.name,
  weights: manifest.weights,
  threads: Number(values.threads),
  pastTokens,
  steps: batches.map((batch) => {
    const own = samples.get(batch) ?? [];
    const stepMs = median(own.map((sample) => sample.stepMs));
    const ownMs = median(own.map((sample) => sample.ownMs));
    return {
      sequences: batch,
      stepMs: rounded(stepMs),
      smallestMs: rounded(Math.min(...own.map((sample) => sample.stepMs))),
      ownMs: rounded(ownMs),
      ownPercent: rounded((100 * ownMs) / stepMs),
      tokensPerSecond: Math.round((1000 * batch) / stepMs),
    };
  }),
  prefill: { tokens: pastTokens, ms: rounded(median(prefills)), smallestMs: rounded(Math.min(...prefills)) },
};
writeFileSync(new URL('./results/step.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.table(result.steps);
  console.log(`prefill of ${pastTokens} tokens: ${result.prefill.ms} ms (${result.prefill.smallestMs})`);
}

/** Fills the batch, then times its steps; prompts differ, and nothing ends a reply early. */
async function measure(batch: number, round: number): Promise<Sample[]> {
  const vocabulary = { ...tokenizer.vocabulary, isEnd: () => false };
  const engine = new Engine(
    { runner, vocabulary },
    { queueMax: batch, prefillTokensMax: 192, chunkTokens: 64 },
  );
  for (let index = 0; index < batch; index++) {
    const prompt = Int32Array.from(
      { length: pastTokens },
      (_, i) => 1000 + ((i * 37 + index * 101 + round) % 40_000),
    );
    const sampling = { temperature: 0.8, topK: 40, topP: 0.95, repetitionPenalty: 1.1, seed: index };
    engine.submit({
      id: String(index),
      prompt,
      selection: { kind: 'all', candidates: 1 },
      tokensMax: steps + 1 + batch,
      stop: ['\nUser:'],
      sampling,
    });
    const startedAt = performance.now();
    await engine.step();
    if (index === 0) prefills.push(performance.now() - startedAt);
  }
  const own: Sample[] = [];
  for (let step = 0; step < steps - batch; step++) {
    sessionMs = 0;
    const startedAt = performance.now();
    await engine.step();
    const stepMs = performance.now() - startedAt;
    own.push({ stepMs, ownMs: stepMs - sessionMs });
  }
  for (let index = 0; index < batch; index++) engine.cancel(String(index));
  await engine.step();
  return own;
}
