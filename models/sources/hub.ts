import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openHuggingFaceFolder } from '../checkpoints/hugging-face-folder.ts';
import type { RegistryEntry } from '../registry.ts';
import { downloadFile, HttpStatusError } from './download.ts';
import type { FetchContext, FetchedCheckpoint } from './source.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const REDIRECTS_MAX = 5;

interface HubFile {
  /** Where the bytes are, after all redirects. */
  readonly url: string;
  /** Commit that the asked revision stands for. */
  readonly commit: string | undefined;
  /** Known for large files only. */
  readonly sha256: string | undefined;
}

/**
 * Fetches a checkpoint from a Hugging Face Hub or a mirror of it.
 *
 * @throws Error when the hub does not answer within 5 s, or lacks a file.
 */
export async function fetchFromHub(
  { hub }: RegistryEntry,
  hubUrl: string,
  context: FetchContext,
): Promise<FetchedCheckpoint> {
  const directory = join(context.downloads, 'hub');
  await mkdir(directory, { recursive: true });
  let revision = hub.revision;
  let weights: HubFile | undefined;
  for (const name of [...hub.files, ...hub.optionalFiles]) {
    const path = `${hubUrl.replace(/\/+$/, '')}/${hub.repository}/resolve/${revision}/${name}`;
    const file = await locate(path, context.signal).catch((error) => {
      const isAbsent = error instanceof HttpStatusError && error.status === 404;
      if (isAbsent && hub.optionalFiles.includes(name)) return null;
      throw error;
    });
    if (file === null) continue;
    // All files of one commit, also when the branch moves meanwhile.
    revision = file.commit ?? revision;
    if (name.endsWith('.safetensors')) weights = file;
    await downloadFile({
      url: file.url,
      path: join(directory, name),
      sha256: file.sha256,
      signal: context.signal,
      onBytes: (bytes, bytesTotal) => context.onProgress({ kind: 'download', file: name, bytes, bytesTotal }),
    });
  }
  return {
    open: () => openHuggingFaceFolder(directory),
    source: {
      kind: 'hub',
      reference: hub.repository,
      revision,
      ...(weights?.sha256 === undefined ? {} : { sha256: weights.sha256 }),
    },
  };
}

/**
 * Follows the redirects by hand: commit and checksum stand in the headers of the first answers, the bytes are at
 * the last address.
 */
async function locate(start: string, signal: AbortSignal): Promise<HubFile> {
  let url = start;
  let commit: string | undefined;
  let sha256: string | undefined;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    const response = await ask(url, signal);
    commit ??= response.headers.get('x-repo-commit') ?? undefined;
    sha256 ??= /^"?([0-9a-f]{64})"?$/.exec(response.headers.get('x-linked-etag') ?? '')?.[1];
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      url = new URL(location, url).href;
    } else if (response.ok) {
      return { url, commit, sha256 };
    } else {
      throw new HttpStatusError(start, response.status);
    }
  }
  throw new Error(`${new URL(start).host} redirects without end`);
}

async function ask(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      headers: { 'accept-encoding': 'identity' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    const { cause, name, message } = error as Error;
    const reason =
      name === 'TimeoutError' ? 'no answer in time' : cause instanceof Error ? cause.message : message;
    throw new Error(`${new URL(url).host} could not be reached (${reason})`, { cause: error });
  }
}
