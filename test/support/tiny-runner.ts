/** An OnnxRunner over a tiny model that was made just now. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OnnxRunner, type OnnxRunnerOptions, openOnnxRunner } from '../../src/onnx/onnx-runner.ts';
import { makeTinyModel, type TinyModelOptions } from './tiny-model.ts';

export interface TinyDirectory extends AsyncDisposable {
  readonly path: string;
  openRunner(size: Pick<OnnxRunnerOptions, 'slots' | 'positions' | 'kept'>): Promise<OnnxRunner>;
}

export async function makeTinyDirectory(options: TinyModelOptions): Promise<TinyDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'amity-tiny-'));
  const manifest = await makeTinyModel(path, options);
  return {
    path,
    openRunner: (size) =>
      openOnnxRunner({
        graphPath: join(path, manifest.files.graph.path),
        shape: manifest.shape,
        topK: manifest.topK,
        threads: 2,
        ...size,
      }),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
