/** The ONNX runners on a tiny random model whose every token depends on the whole past; in both layouts and kinds of weights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyDirectory, type TinyDirectory } from '../support/tiny-runner.ts';
import { describeModelRunner } from './model-runner.contract.ts';

/** Of 8-bit activations that are rounded anew wherever the cut of a prompt changes a last bit. */
const TOLERANCE = { fp32: 1e-4, nb8: 0.3 } as const;

for (const [layout, weights] of [
  ['d5', 'nb8'],
  ['d5', 'fp32'],
  ['export', 'nb8'],
  ['export', 'fp32'],
] as const) {
  let directory: TinyDirectory;
  beforeAll(async () => {
    directory = await makeTinyDirectory({ kind: 'random', weights, layout });
  });
  afterAll(() => directory[Symbol.asyncDispose]());
  describeModelRunner(`onnx, ${layout}, ${weights}`, {
    open: (size) => directory.openRunner(size),
    vocabularySize: 264,
    tolerance: TOLERANCE[weights],
    keepsBlocks: layout === 'd5',
  });
}

describe('scoring several continuations of a prompt', () => {
  it('gives what scoring each behind the prompt gives, whatever stands beside it', async () => {
    await using directory = await makeTinyDirectory({ kind: 'random', weights: 'fp32' });
    await using runner = await directory.openRunner({ slots: 1, positions: 1 });
    const text = (count: number, from: number) =>
      Int32Array.from({ length: count }, (_, i) => (from + 7 * i) % 250);
    const prompt = text(150, 3);
    const continuations = [text(1, 9), text(140, 5), text(0, 0), text(20, 60)];
    const scores = await runner.scoreContinuations(prompt, continuations);
    for (const [place, continuation] of continuations.entries()) {
      const whole = await runner.scoreTokens(Int32Array.of(...prompt, ...continuation));
      const expected = whole.slice(prompt.length - 1);
      expect(scores[place]).toHaveLength(continuation.length);
      for (const [i, score] of scores[place]!.entries()) expect(score).toBeCloseTo(expected[i]!, 4);
    }
    const reversed = await runner.scoreContinuations(prompt, continuations.toReversed());
    expect(reversed.toReversed()).toEqual(scores);
  });
});
