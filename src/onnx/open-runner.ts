import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { DeviceCache } from './device-cache.ts';
import { HostCache } from './export-cache.ts';
import { EXPORT_LAYOUT, exportOutputs } from './export-contract.ts';
import { ExportRunner } from './export-runner.ts';
import type { LoadedRunner } from './loaded-runner.ts';
import type { Manifest } from './manifest.ts';
import { OnnxRunner } from './onnx-runner.ts';
import { openSession, type SessionOptions } from './session.ts';

export interface RunnerOptions extends Pick<SessionOptions, 'threads' | 'provider' | 'deviceId'> {
  readonly directory: string;
  readonly manifest: Pick<Manifest, 'files' | 'layout' | 'shape' | 'topK'>;
  /** Replies held at once, and as many prompts. */
  readonly slots: number;
  /** Tokens of a prompt and its reply together. */
  readonly positions: number;
  /** Tokens of each prompt and of each reply for which memory is taken at once; only by graphs of our own. */
  readonly reserved?: { readonly prompt: number; readonly reply: number };
  /** Pieces of prompts kept for later, and their length; none without. Graphs of the export layout keep none. */
  readonly kept?: { readonly blocks: number; readonly tokens: number };
}

/**
 * Opens a model to run it, whichever layout its graph has.
 *
 * @throws when the runtime cannot load the graph, or the provider cannot be had or does not suit the graph.
 */
export async function openRunner(options: RunnerOptions): Promise<LoadedRunner> {
  const { directory, manifest, provider } = options;
  if (provider === 'webgpu') return await openOnWebGpu(options);
  const session = await openSession(join(directory, manifest.files.graph.path), options);
  const { shape, topK } = manifest;
  return await unlessItFails([session], async () =>
    manifest.layout === EXPORT_LAYOUT
      ? new ExportRunner(session, new HostCache(shape), { ...options, shape, topK })
      : new OnnxRunner(session, { ...options, shape, topK }),
  );
}

/** There the cache must not cross to the processor and back in each step, so the graph has to return it whole. */
async function openOnWebGpu(options: RunnerOptions): Promise<LoadedRunner> {
  const { files, layout, shape, topK } = options.manifest;
  const { regroup } = files;
  if (layout !== EXPORT_LAYOUT || regroup === undefined) {
    throw new Error('it needs a model made with "amity model import <path> --layout export --weights fp16"');
  }
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
  const onDevice = layers.flatMap((layer) => [
    exportOutputs.presentKey(layer),
    exportOutputs.presentValue(layer),
  ]);
  const open = (path: string) => openSession(join(options.directory, path), { ...options, onDevice });
  const session = await open(files.graph.path);
  return await unlessItFails([session], async () => {
    const cache = new DeviceCache(await open(regroup.path));
    return await unlessItFails(
      [cache],
      async () => new ExportRunner(session, cache, { ...options, shape, topK }),
    );
  });
}

/** What was opened for a runner that cannot be made is closed again. */
async function unlessItFails<Result>(
  opened: readonly (InferenceSession | DeviceCache)[],
  make: () => Promise<Result>,
): Promise<Result> {
  try {
    return await make();
  } catch (error) {
    for (const one of opened) await ('release' in one ? one.release() : one[Symbol.asyncDispose]());
    throw error;
  }
}
