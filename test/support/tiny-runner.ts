/** A runner over a tiny model that was made just now. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadedRunner } from '../../src/onnx/loaded-runner.ts';
import { openRunner, type RunnerOptions } from '../../src/onnx/open-runner.ts';
import { makeTinyModel, type TinyModelOptions } from './tiny-model.ts';

export interface TinyDirectory extends AsyncDisposable {
  readonly path: string;
  openRunner(size: Pick<RunnerOptions, 'slots' | 'positions' | 'kept'>): Promise<LoadedRunner>;
}

export async function makeTinyDirectory(options: TinyModelOptions): Promise<TinyDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'amity-tiny-'));
  const manifest = await makeTinyModel(path, options);
  return {
    path,
    openRunner: (size) => openRunner({ directory: path, manifest, threads: 2, ...size }),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
