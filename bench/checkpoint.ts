/** The checkpoint that a measurement converts: one of your own, or that of the default model, which is fetched into bench/.cache once. */
import { mkdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGguf } from '../models/checkpoints/gguf.ts';
import { openHuggingFaceFolder } from '../models/checkpoints/hugging-face-folder.ts';
import { fetchCheckpoint } from '../models/fetch-checkpoint.ts';
import { readRegistry } from '../models/registry.ts';
import type { FetchedCheckpoint } from '../models/sources/source.ts';

/** @param from a Hugging Face folder or a GGUF file */
export async function findCheckpoint(from?: string): Promise<FetchedCheckpoint> {
  return from === undefined ? await fetchDefault() : await openLocal(from);
}

async function openLocal(path: string): Promise<FetchedCheckpoint> {
  const kind = (await stat(path)).isDirectory() ? 'folder' : 'gguf';
  return {
    open: () => (kind === 'folder' ? openHuggingFaceFolder(path) : openGguf(path)),
    source: { kind, reference: basename(path) },
  };
}

async function fetchDefault(): Promise<FetchedCheckpoint> {
  const registry = await readRegistry();
  const entry = registry.models.find(({ name }) => name === registry.default);
  if (entry === undefined) throw new Error('The registry has no default model');
  const downloads = fileURLToPath(new URL('.cache/checkpoint', import.meta.url));
  await mkdir(downloads, { recursive: true });
  const onProgress = () => {};
  return await fetchCheckpoint(entry, {}, { downloads, onProgress, signal: new AbortController().signal });
}
