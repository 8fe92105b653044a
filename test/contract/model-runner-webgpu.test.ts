/** The WebGPU path on a software device: the cache stays there, and replies are those of the processor within rounding. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelRunner, RowLogits } from '../../src/engine/model-runner.ts';
import { readManifest } from '../../src/onnx/manifest.ts';
import { placeRunner } from '../../src/onnx/place-runner.ts';
import { useSoftwareGpu } from '../support/software-gpu.ts';
import { makeTinyDirectory, type TinyDirectory } from '../support/tiny-runner.ts';

const isThere = useSoftwareGpu();
/** Of logits up to about 8; the two add up in other orders. */
const DIFFERENCE_MAX = 1e-3;
const prompt = Int32Array.from({ length: 40 }, (_, i) => (5 + 7 * i) % 200);

let directory: TinyDirectory;
beforeAll(async () => {
  directory = await makeTinyDirectory({ kind: 'random', weights: 'fp32', layout: 'export' });
});
afterAll(() => directory[Symbol.asyncDispose]());

async function place(provider: 'cpu' | 'webgpu') {
  const manifest = await readManifest(directory.path);
  return await placeRunner(
    { directory: directory.path, manifest, threads: 2, slots: 6, positions: 100 },
    provider,
  );
}

/** A life with all that moves a cache: pieces of prompts, candidates, one that leaves, a second prompt, an older position. */
async function live(runner: ModelRunner): Promise<RowLogits[]> {
  const seen: RowLogits[] = [];
  const of = (slot: number, length: number) => ({ slot, length });
  const read = async (slot: number, tokens: Int32Array, position = 0) => {
    const logits = await runner.prefill({ slot, position, tokens, wantsLogits: true });
    if (logits !== null) seen.push(logits);
  };
  await read(0, prompt.subarray(0, 25));
  await read(0, prompt.subarray(25), 25);
  for (let position = 0; position < 4; position++) {
    const rows = [0, 1, 2].map((slot) => ({
      slot,
      position,
      token: 30 + slot,
      prompt: of(0, prompt.length),
    }));
    seen.push(...(await runner.decode(rows)));
  }
  runner.copyReply(2, 1, 4);
  await read(1, prompt.subarray(0, 9));
  seen.push(
    ...(await runner.decode([
      { slot: 0, position: 4, token: 50, prompt: of(0, prompt.length) },
      { slot: 1, position: 4, token: 51, prompt: of(0, prompt.length) },
      { slot: 2, position: 0, token: 52, prompt: of(1, 9) },
    ])),
  );
  seen.push(...(await runner.decode([{ slot: 0, position: 2, token: 9, prompt: of(0, prompt.length) }])));
  return seen;
}

describe.runIf(isThere)('a model on WebGPU', () => {
  it('writes what it writes on the processor', async () => {
    const [onGpu, onCpu] = [await place('webgpu'), await place('cpu')];
    await using gpu = onGpu.runner;
    await using cpu = onCpu.runner;
    expect(onGpu.notes.filter((note) => note.includes('cannot be had'))).toEqual([]);
    const [found, expected] = [await live(gpu), await live(cpu)];
    expect(found).toHaveLength(expected.length);
    for (const [place, { values, logSumExp }] of found.entries()) {
      expect(Math.abs(logSumExp - expected[place]!.logSumExp)).toBeLessThan(DIFFERENCE_MAX);
      for (const [rank, value] of values.entries()) {
        expect(Math.abs(value - expected[place]!.values[rank]!)).toBeLessThan(DIFFERENCE_MAX);
      }
    }
    const [scores, expectedScores] = [await gpu.scoreTokens(prompt), await cpu.scoreTokens(prompt)];
    for (const [place, score] of scores.entries()) expect(score).toBeCloseTo(expectedScores[place]!, 3);
  });
});

describe('a provider that cannot be had', () => {
  it('is replaced by the processor, with one line that says why', async () => {
    const manifest = await readManifest(directory.path);
    const options = { directory: directory.path, manifest, threads: 1, slots: 1, positions: 50 };
    const { runner, notes } = await placeRunner(options, 'dml');
    await using _ = runner;
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^EXECUTION_PROVIDER=dml cannot be had, the model runs on the processor: \S/);
    expect(notes[0]).not.toContain('\n');
    expect(await runner.prefill({ slot: 0, position: 0, tokens: prompt, wantsLogits: true })).not.toBeNull();
  });

  it('says which model WebGPU needs', async () => {
    await using other = await makeTinyDirectory({ kind: 'random', weights: 'fp32' });
    const manifest = await readManifest(other.path);
    const options = { directory: other.path, manifest, threads: 1, slots: 1, positions: 50 };
    const { runner, notes } = await placeRunner(options, 'webgpu');
    await using _ = runner;
    expect(notes[0]).toContain('--layout export --weights fp16');
  });
});
