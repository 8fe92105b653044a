import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type Manifest, MODEL_NAME_PATTERN, readManifest, verifyFiles } from '../src/onnx/manifest.ts';
import { openGguf } from './checkpoints/gguf.ts';
import { openHuggingFaceFolder } from './checkpoints/hugging-face-folder.ts';
import { type Conversion, convertModel } from './convert.ts';
import { type CheckpointSources, fetchCheckpoint } from './fetch-checkpoint.ts';
import { explainDiskError, type InstalledModel, openStaging } from './install.ts';
import { type RegistryEntry, readRegistry } from './registry.ts';
import type { FetchedCheckpoint, PullProgress } from './sources/source.ts';

export interface PullOptions extends CheckpointSources {
  /** Default: the default model of the registry. */
  readonly name?: string | undefined;
  readonly modelsDirectory: string;
  /** Fetch also what is there and undamaged. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: PullProgress): void;
}

export interface PulledModel extends InstalledModel {
  /** It was there already, and complete. */
  readonly wasPresent: boolean;
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
  return await install(options.modelsDirectory, {
    name: entry.name,
    weights: entry.weights,
    licence: entry.licence,
    onProgress,
    fetch: (downloads) => fetchCheckpoint(entry, options, { downloads, onProgress, signal }),
  });
}

export interface ImportOptions {
  /** A Hugging Face folder or a GGUF file. */
  readonly from: string;
  readonly name: string;
  readonly modelsDirectory: string;
  readonly weights?: Manifest['weights'] | undefined;
  readonly licence?: string | undefined;
  onProgress?(progress: PullProgress): void;
}

/** Converts a checkpoint that is on this machine. @throws Error with one sentence. */
export async function importModel(options: ImportOptions): Promise<PulledModel> {
  if (!MODEL_NAME_PATTERN.test(options.name)) {
    throw new Error(
      `"${options.name}" can not be the name of a model: small letters, digits, ".", "_" and "-" only`,
    );
  }
  const from = resolve(options.from);
  const found = await stat(from).catch(() => null);
  if (found === null) throw new Error(`${from} does not exist`);
  const kind = found.isDirectory() ? 'folder' : 'gguf';
  return await install(options.modelsDirectory, {
    name: options.name,
    weights: options.weights ?? 'nb8',
    licence: options.licence ?? null,
    onProgress: (progress) => options.onProgress?.(progress),
    fetch: async () => ({
      open: () => (kind === 'folder' ? openHuggingFaceFolder(from) : openGguf(from)),
      source: { kind, reference: basename(from) },
    }),
  });
}

async function install(
  modelsDirectory: string,
  model: Pick<Conversion, 'name' | 'weights' | 'licence'> & {
    onProgress: (progress: PullProgress) => void;
    fetch: (downloads: string) => Promise<FetchedCheckpoint>;
  },
): Promise<PulledModel> {
  try {
    await using staging = await openStaging(modelsDirectory, model.name);
    const fetched = await model.fetch(staging.downloads);
    await using checkpoint = await fetched.open();
    const manifest = await convertModel({
      checkpoint,
      directory: staging.directory,
      name: model.name,
      weights: model.weights,
      source: fetched.source,
      licence: model.licence,
      createdAt: new Date(),
      onTensor: (tensors, tensorsTotal) => model.onProgress({ kind: 'convert', tensors, tensorsTotal }),
    });
    await staging.commit();
    return { manifest, directory: join(modelsDirectory, model.name), wasPresent: false };
  } catch (error) {
    throw explainDiskError(error, modelsDirectory);
  }
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
