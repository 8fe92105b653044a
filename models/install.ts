import { mkdir, open, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../src/onnx/manifest.ts';

/** Directory in the models directory for what is not finished; its name can not be that of a model. */
const STAGING = '.incoming';

export interface Staging extends AsyncDisposable {
  /** Survives a failed pull. */
  readonly downloads: string;
  /** Empty; becomes the model when `commit` is called. */
  readonly directory: string;
  /** Puts the finished model in its place and removes the downloads. */
  commit(): Promise<void>;
}

/**
 * A place to build a model in, for one process at a time. Whatever a killed process left there is removed or, if it
 * is a download, taken up. The model directory changes by renaming only: it is the old model, the new one, or absent.
 *
 * @throws Error when another running process is at work on the same model.
 */
export async function openStaging(modelsDirectory: string, name: string): Promise<Staging> {
  const root = join(modelsDirectory, STAGING, name);
  await mkdir(root, { recursive: true });
  const lock = join(root, 'lock');
  await acquire(lock, name);
  const directory = join(root, 'model');
  const downloads = join(root, 'downloads');
  const replaced = join(root, 'replaced');
  let isCommitted = false;
  for (const leftover of [directory, replaced]) await rm(leftover, { recursive: true, force: true });
  await mkdir(directory);
  await mkdir(downloads, { recursive: true });
  return {
    downloads,
    directory,
    async commit() {
      const target = join(modelsDirectory, name);
      await rename(target, replaced).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      await rename(directory, target);
      isCommitted = true;
    },
    async [Symbol.asyncDispose]() {
      await rm(isCommitted ? root : directory, { recursive: true, force: true });
      await rm(lock, { force: true });
      // Goes only when it is empty.
      await rmdir(join(modelsDirectory, STAGING)).catch(() => {});
    },
  };
}

/** The lock names a process; one whose process is gone counts for nothing. */
async function acquire(lock: string, name: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await using file = await open(lock, 'wx');
      await file.writeFile(String(process.pid));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (owner !== process.pid && isAlive(owner)) {
      throw new Error(`Process ${owner} is already fetching ${name}; wait until it is done.`);
    }
    await rm(lock, { force: true });
  }
  throw new Error(`Another process has begun to fetch ${name}; wait until it is done.`);
}

function isAlive(processId: number): boolean {
  if (!Number.isInteger(processId) || processId <= 0) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** One sentence for what goes wrong with disks, in place of a system error. */
export function explainDiskError(error: unknown, directory: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const remedies: Readonly<Record<string, string>> = {
    ENOSPC:
      'the disk is full. Free about 500 MB, or set MODELS_DIR to another disk, and run the command again',
    EDQUOT: 'the disk quota is used up. Free about 500 MB, or set MODELS_DIR to another disk',
    EACCES: 'it may not be written. Change its owner, or set MODELS_DIR to a directory of your own',
    EROFS: 'the file system is read-only. Set MODELS_DIR to a directory that can be written',
  };
  const remedy = remedies[code ?? ''];
  return remedy === undefined
    ? error
    : new Error(`A model can not be stored in ${directory}: ${remedy}.`, { cause: error });
}

export interface PulledModel {
  readonly manifest: Manifest;
  readonly directory: string;
  /** It was there already, and complete. */
  readonly wasPresent: boolean;
}

/**
 * Puts a model that `write` makes into its place; until then the old one, if there is one, stays.
 *
 * @throws Error with one sentence.
 */
export async function installModel(
  modelsDirectory: string,
  name: string,
  write: (staging: Staging) => Promise<Manifest>,
): Promise<PulledModel> {
  try {
    await using staging = await openStaging(modelsDirectory, name);
    const manifest = await write(staging);
    await staging.commit();
    return { manifest, directory: join(modelsDirectory, name), wasPresent: false };
  } catch (error) {
    throw explainDiskError(error, modelsDirectory);
  }
}
