/** The ONNX runner on a tiny random model whose every token depends on the whole past; in both kinds of weights. */
import { afterAll, beforeAll } from 'vitest';
import { makeTinyDirectory, type TinyDirectory } from '../support/tiny-runner.ts';
import { describeModelRunner } from './model-runner.contract.ts';

/** Of 8-bit activations that are rounded anew wherever the cut of a prompt changes a last bit. */
const TOLERANCE = { fp32: 1e-4, nb8: 0.3 } as const;

for (const weights of ['nb8', 'fp32'] as const) {
  let directory: TinyDirectory;
  beforeAll(async () => {
    directory = await makeTinyDirectory({ kind: 'random', weights });
  });
  afterAll(() => directory[Symbol.asyncDispose]());
  describeModelRunner(`onnx, ${weights}`, {
    open: (size) => directory.openRunner(size),
    vocabularySize: 264,
    tolerance: TOLERANCE[weights],
  });
}
