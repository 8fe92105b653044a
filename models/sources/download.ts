import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256OfFile } from '../../src/onnx/manifest.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** A transfer that brings nothing for so long is cut and tried again. */
const IDLE_TIMEOUT_MS = 30_000;
const ATTEMPTS_MAX = 4;
const RETRY_DELAY_MS = 500;

export interface Download {
  readonly url: string;
  readonly path: string;
  /** Without it a cut transfer starts from the beginning: nothing else proves that both halves belong together. */
  readonly sha256?: string | undefined;
  readonly signal: AbortSignal;
  onBytes?(bytes: number, bytesTotal: number | null): void;
}

/** An answer other than success; `status` is the HTTP status. */
export class HttpStatusError extends Error {
  readonly status: number;

  constructor(url: string, status: number) {
    super(`${new URL(url).host} answers ${status} for ${basename(new URL(url).pathname)}`);
    this.status = status;
  }
}

/**
 * Fetches a URL into `path`; until it is complete and checked the bytes are in `path + '.part'`. Goes on where an
 * earlier try was cut, in this process or one before.
 *
 * @throws HttpStatusError; Error when the bytes are not those of `sha256`, or the server can not be reached.
 */
export async function downloadFile(download: Download): Promise<void> {
  if (await isComplete(download)) return;
  for (let attempt = 1; ; attempt++) {
    try {
      await transfer(download);
      break;
    } catch (error) {
      download.signal.throwIfAborted();
      const isFinal = attempt === ATTEMPTS_MAX || !isTransient(error);
      if (isFinal) throw explain(error, download);
      await sleep(RETRY_DELAY_MS * 2 ** (attempt - 1), undefined, { signal: download.signal });
    }
  }
  await checkPart(download);
  await rename(`${download.path}.part`, download.path);
}

async function isComplete({ path, sha256 }: Download): Promise<boolean> {
  const exists = await stat(path).catch(() => null);
  return exists !== null && sha256 !== undefined && (await sha256OfFile(path)) === sha256;
}

async function checkPart({ path, sha256 }: Download): Promise<void> {
  const part = `${path}.part`;
  if (sha256 === undefined || (await sha256OfFile(part)) === sha256) return;
  await rm(part);
  throw new Error(`${basename(path)} came damaged: its checksum differs. Run the command again.`);
}

async function transfer(download: Download): Promise<void> {
  const idle = createIdleTimer(CONNECT_TIMEOUT_MS);
  try {
    const signal = AbortSignal.any([download.signal, idle.signal]);
    await using file = await open(`${download.path}.part`, 'a');
    const present = await usablePart(file, download);
    const response = await fetch(download.url, {
      signal,
      headers: { 'accept-encoding': 'identity', ...(present > 0 ? { range: `bytes=${present}-` } : {}) },
    });
    idle.refresh(IDLE_TIMEOUT_MS);
    // The part has all bytes, or the file shrank; the checksum tells which.
    if (response.status === 416) return;
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new HttpStatusError(download.url, response.status);
    }
    const start = response.status === 206 ? present : 0;
    if (start !== present) await file.truncate(0);
    await receive(response, { file, start, onChunk: () => idle.refresh(IDLE_TIMEOUT_MS), download });
  } finally {
    idle.stop();
  }
}

async function usablePart(file: FileHandle, { sha256 }: Download): Promise<number> {
  if (sha256 === undefined) {
    await file.truncate(0);
    return 0;
  }
  return (await file.stat()).size;
}

async function receive(
  response: Response,
  {
    file,
    start,
    onChunk,
    download,
  }: { file: FileHandle; start: number; onChunk: () => void; download: Download },
): Promise<void> {
  const length = response.headers.get('content-length');
  const total = length === null ? null : start + Number(length);
  let bytes = start;
  download.onBytes?.(bytes, total);
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    onChunk();
    await file.appendFile(chunk);
    bytes += chunk.length;
    download.onBytes?.(bytes, total);
  }
  if (total !== null && bytes !== total) throw new TypeError('The transfer was cut');
}

/** Aborts its signal when it is not refreshed in time. */
function createIdleTimer(firstMs: number) {
  const controller = new AbortController();
  const expire = () => controller.abort(new DOMException('No answer in time', 'TimeoutError'));
  let timer = setTimeout(expire, firstMs);
  return {
    signal: controller.signal,
    refresh(ms: number) {
      clearTimeout(timer);
      timer = setTimeout(expire, ms);
    },
    stop: () => clearTimeout(timer),
  };
}

/** `fetch` reports a broken connection as a TypeError; a silent one ends by our timer. */
function isTransient(error: unknown): boolean {
  if (error instanceof HttpStatusError) return error.status >= 500 || error.status === 429;
  if (!(error instanceof Error)) return false;
  return error instanceof TypeError || error.name === 'TimeoutError';
}

function explain(error: unknown, { url }: Download): unknown {
  if (error instanceof HttpStatusError || !isTransient(error)) return error;
  const cause = (error as Error).cause;
  const reason = cause instanceof Error ? cause.message || cause.name : (error as Error).message;
  return new Error(`${new URL(url).host} could not be reached (${reason})`, { cause: error });
}
