import { join } from 'node:path';
import { type Manifest, readManifest, verifyFiles } from '../src/onnx/manifest.ts';
import { convertModel } from './convert.ts';
import { type CheckpointSources, fetchCheckpoint } from './fetch-checkpoint.ts';
import { installModel, type PulledModel } from './install.ts';
import { type RegistryEntry, readRegistry } from './registry.ts';
import type { PullProgress } from './sources/source.ts';

export interface PullOptions extends CheckpointSources {
  /** Default: the default model of the registry. */
  readonly name?: string | undefined;
  readonly modelsDirectory: string;
  /** Fetch also what is there and undamaged. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: PullProgress): void;
}

/**
 * Fetches a model of the registry, converts it and puts it into the models directory. Until that is done the old
 * model, if there is one, stays in place. A cut download goes on at the next call.
 *
 * @throws Error with one sentence: what failed and what helps.
 */
export async function pullModel(options: PullOptions): Promise<PulledModel> {
  const entry = await findEntry(options.name);
  const directory = join(options.modelsDirectory, entry.name);
  if (options.force !== true) {
    const present = await readIntact(directory);
    if (present !== null) return { manifest: present, directory, wasPresent: true };
  }
  const signal = options.signal ?? new AbortController().signal;
  const onProgress = (progress: PullProgress) => options.onProgress?.(progress);
  return await installModel(options.modelsDirectory, entry.name, async (staging) => {
    const { downloads } = staging;
    const fetched = await fetchCheckpoint(entry, options, { downloads, onProgress, signal });
    await using checkpoint = await fetched.open();
    return await convertModel({
      checkpoint,
      directory: staging.directory,
      name: entry.name,
      weights: entry.weights,
      source: fetched.source,
      licence: entry.licence,
      createdAt: new Date(),
      onTensor: (tensors, tensorsTotal) => onProgress({ kind: 'convert', tensors, tensorsTotal }),
    });
  });
}

async function findEntry(name: string | undefined): Promise<RegistryEntry> {
  const registry = await readRegistry();
  const wanted = name ?? registry.default;
  const entry = registry.models.find((candidate) => candidate.name === wanted);
  if (entry !== undefined) return entry;
  const known = registry.models.map((candidate) => candidate.name).join(', ');
  throw new Error(`There is no model "${wanted}" to pull; known: ${known}`);
}

async function readIntact(directory: string): Promise<Manifest | null> {
  const manifest = await readManifest(directory).catch(() => null);
  if (manifest === null) return null;
  return (await verifyFiles(directory, manifest)).length === 0 ? manifest : null;
}
