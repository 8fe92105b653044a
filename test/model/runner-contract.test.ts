/** The whole contract of ModelRunner on the default model; 20 seconds, so among the long tests only. */
import { describe } from 'vitest';
import { readManifest } from '../../src/onnx/manifest.ts';
import { openRunner } from '../../src/onnx/open-runner.ts';
import { describeModelRunner } from '../contract/model-runner.contract.ts';
import { findRealModel } from '../support/real-model.ts';

const { directory, isPresent } = await findRealModel();
const isLong = process.env['AMITY_TEST_LONG'] !== undefined;

describe.runIf(isPresent && isLong)('the default model', async () => {
  if (!isPresent) return;
  const manifest = await readManifest(directory);
  describeModelRunner('onnx, the default model', {
    open: (size) => openRunner({ directory, manifest, threads: 2, ...size }),
    vocabularySize: manifest.shape.vocabSize,
    // Activations of 8 bits are rounded anew wherever the cut of a prompt changes a last bit.
    tolerance: 0.5,
  });
});
