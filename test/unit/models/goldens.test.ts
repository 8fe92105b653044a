import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../models/checkpoints/checkpoint.ts';
import { openGguf } from '../../../models/checkpoints/gguf.ts';
import { openHuggingFaceFolder } from '../../../models/checkpoints/hugging-face-folder.ts';
import { convertModel } from '../../../models/convert.ts';
import { openPlainForward } from '../../support/plain-forward.ts';

/** Made with transformers by test/fixtures/make-llama-goldens.py, make-qwen2-goldens.py and make-gpt2-goldens.py. */
const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const DIFFERENCE_MAX = 1e-3;

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'amity-goldens-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface Expected {
  readonly ids: readonly number[];
  readonly logits: readonly (readonly number[])[];
}

const goldens: readonly [string, (directory: string) => Promise<Checkpoint>][] = [
  ['llama-tied-f16', openHuggingFaceFolder],
  ['llama-untied-bf16', openHuggingFaceFolder],
  ['llama-gguf', (directory) => openGguf(join(directory, 'model.gguf'))],
  ['gpt2-f32', openHuggingFaceFolder],
  ['qwen2-tied-f32', openHuggingFaceFolder],
  ['qwen2-gguf', (directory) => openGguf(join(directory, 'model.gguf'))],
];

describe.each(goldens)('%s', (name, openCheckpoint) => {
  const convert = async (weights: 'fp32' | 'fp16' | 'nb8') => {
    const directory = await mkdtemp(join(scratch, `${name}-`));
    await using checkpoint = await openCheckpoint(join(fixtures, name));
    const manifest = await convertModel({
      checkpoint,
      directory,
      name,
      weights,
      fullLogits: true,
      source: { kind: 'folder', reference: name },
      licence: null,
      createdAt: new Date(0),
    });
    return { directory, manifest };
  };
  const expected = async () =>
    JSON.parse(await readFile(join(fixtures, name, 'expected.json'), 'utf8')) as Expected;

  it('has the logits that transformers computes, within 1e-3', async () => {
    const { directory, manifest } = await convert('fp32');
    await using forward = await openPlainForward(directory, manifest);
    const { ids, logits } = await expected();
    const result = await forward.run(ids);
    const difference = largestDifference(logits.flat(), result.logits);
    console.log(`${name}: largest difference of a logit ${difference.toExponential(2)}`);
    expect(difference).toBeLessThan(DIFFERENCE_MAX);
  });

  it('has the same logits with half-precision weights, within their rounding', async () => {
    const { directory, manifest } = await convert('fp16');
    await using forward = await openPlainForward(directory, manifest);
    const { ids, logits } = await expected();
    const result = await forward.run(ids);
    expect(largestDifference(logits.flat(), result.logits)).toBeLessThan(0.03);
    expect(largestDifference(logits.flat(), result.logits)).toBeGreaterThan(0);
  });

  it('has nearly the same logits with 8-bit weights', async () => {
    const { directory, manifest } = await convert('nb8');
    await using forward = await openPlainForward(directory, manifest);
    const { ids, logits } = await expected();
    const result = await forward.run(ids);
    // Random weights, logits up to 6: the rounding of two layers stays below a tenth of their spread.
    expect(largestDifference(logits.flat(), result.logits)).toBeLessThan(0.4);
    expect(largestDifference(logits.flat(), result.logits)).toBeGreaterThan(0);
  });

  it('returns top values, log sum exp and target log-probabilities that agree with all logits', async () => {
    const { directory, manifest } = await convert('fp32');
    await using forward = await openPlainForward(directory, manifest);
    const { ids } = await expected();
    const { logits, ...result } = await forward.run(ids);
    const { vocabSize } = manifest.shape;
    for (const row of ids.keys()) {
      const all = [...(logits ?? new Float32Array()).subarray(row * vocabSize, (row + 1) * vocabSize)];
      const order = [...all.keys()].sort((a, b) => all[b]! - all[a]! || a - b).slice(0, manifest.topK);
      const top = result.topIds.subarray(row * manifest.topK, (row + 1) * manifest.topK);
      expect([...top].map(Number)).toEqual(order);
      const logSumExp = Math.log(all.reduce((sum, value) => sum + Math.exp(value), 0));
      expect(result.logSumExp[row]).toBeCloseTo(logSumExp, 4);
      expect(result.targetLogProb[row]).toBeCloseTo(all[ids[row + 1] ?? 0]! - logSumExp, 4);
    }
  });

  it('ends at the tokens that the checkpoint names', async () => {
    const { manifest } = await convert('fp32');
    expect(manifest.tokens).toEqual({ eos: [95], bos: 94, pad: name.endsWith('-gguf') ? null : 95 });
  });
});

function largestDifference(expected: readonly number[], got: Float32Array | null): number {
  expect(got?.length).toBe(expected.length);
  return expected.reduce((largest, value, index) => Math.max(largest, Math.abs(value - got![index]!)), 0);
}
