/** Weights beyond the 2 GB that a protobuf message can hold: GPT-2 of the size "large" in float32, with random weights. Minutes, so among the long tests only. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gpt2Large, randomGpt2 } from '../../bench/gpu/random-gpt2.ts';
import { convertModel, type WeightName } from '../../models/convert.ts';
import { openRunner } from '../../src/onnx/open-runner.ts';

const isLong = process.env['AMITY_TEST_LONG'] !== undefined;
/** Beyond it, offsets no longer fit 31 bits. */
const LARGE_BYTES = 2 ** 31;

describe.runIf(isLong)('a model with more than 2 GB of weights', () => {
  it('is converted, loaded and run, and half and full precision agree', async () => {
    const scores = new Map<WeightName, Float64Array>();
    const tokens = Int32Array.from({ length: 24 }, (_, i) => 100 + 7 * i);
    for (const weights of ['fp32', 'fp16'] as const) {
      const directory = await mkdtemp(join(tmpdir(), 'amity-large-'));
      try {
        await using checkpoint = randomGpt2(gpt2Large);
        const manifest = await convertModel({
          checkpoint,
          directory,
          name: 'gpt2-large-random',
          weights,
          source: { kind: 'synthetic', reference: 'bench/gpu' },
          licence: null,
          createdAt: new Date(0),
        });
        const { size } = await stat(join(directory, manifest.files.data?.path ?? ''));
        if (weights === 'fp32') expect(size).toBeGreaterThan(LARGE_BYTES);
        await using runner = await openRunner({ directory, manifest, threads: 2, slots: 1, positions: 40 });
        scores.set(weights, await runner.scoreTokens(tokens));
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    }
    const [full, half] = [scores.get('fp32') ?? [], scores.get('fp16') ?? []];
    expect(full).toHaveLength(tokens.length - 1);
    for (const [place, score] of full.entries()) {
      expect(score).toBeLessThan(0);
      expect(Math.abs(score - (half[place] ?? Number.NaN))).toBeLessThan(0.05);
    }
  });
});
