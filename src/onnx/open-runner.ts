import { join } from 'node:path';
import { EXPORT_LAYOUT } from './export-contract.ts';
import { ExportRunner } from './export-runner.ts';
import type { LoadedRunner } from './loaded-runner.ts';
import type { Manifest } from './manifest.ts';
import { OnnxRunner } from './onnx-runner.ts';
import { openSession } from './session.ts';

export interface RunnerOptions {
  readonly directory: string;
  readonly manifest: Pick<Manifest, 'files' | 'layout' | 'shape' | 'topK'>;
  /** Threads of the session. */
  readonly threads: number;
  /** Replies held at once, and as many prompts. */
  readonly slots: number;
  /** Tokens of a prompt and its reply together. */
  readonly positions: number;
  /** Pieces of prompts kept for later, and their length; none without. Graphs of the export layout keep none. */
  readonly kept?: { readonly blocks: number; readonly tokens: number };
}

/** Opens a model to run it, whichever layout its graph has. @throws when the runtime cannot load the graph. */
export async function openRunner(options: RunnerOptions): Promise<LoadedRunner> {
  const { directory, manifest, threads, ...size } = options;
  const session = await openSession(join(directory, manifest.files.graph.path), threads);
  const { shape, topK } = manifest;
  return manifest.layout === EXPORT_LAYOUT
    ? new ExportRunner(session, { ...size, shape, topK })
    : new OnnxRunner(session, { ...size, shape, topK });
}
