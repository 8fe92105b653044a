/** The whole contract of ModelRunner on the default model; 20 seconds, so among the long tests only. */
import { join } from 'node:path';
import { describe } from 'vitest';
import { readManifest } from '../../src/onnx/manifest.ts';
import { openOnnxRunner } from '../../src/onnx/onnx-runner.ts';
import { describeModelRunner } from '../contract/model-runner.contract.ts';
import { findRealModel } from '../support/real-model.ts';

const { directory, isPresent } = await findRealModel();
const isLong = process.env['AMITY_TEST_LONG'] !== undefined;

describe.runIf(isPresent && isLong)('the default model', async () => {
  if (!isPresent) return;
  const { files, shape, topK } = await readManifest(directory);
  describeModelRunner('onnx, the default model', {
    open: (size) =>
      openOnnxRunner({ graphPath: join(directory, files.graph.path), shape, topK, threads: 2, ...size }),
    vocabularySize: shape.vocabSize,
    // Activations of 8 bits are rounded anew wherever the cut of a prompt changes a last bit.
    tolerance: 0.5,
  });
});
