import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { EXPORT_LAYOUT } from './export-contract.ts';
import { GRAPH_LAYOUT } from './graph-contract.ts';

/** In each model directory; says what lies beside it, where that came from, and how to check it. */
export const MANIFEST_FILE = 'manifest.json';

export const MODEL_NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;

const fileSchema = z.object({
  /** Relative to the model directory: a plain name, so that a manifest can not point elsewhere. */
  path: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const manifestSchema = z.object({
  formatVersion: z.literal(1),
  name: z.string().regex(MODEL_NAME_PATTERN),
  family: z.string(),
  layout: z.enum([GRAPH_LAYOUT, EXPORT_LAYOUT]),
  weights: z.enum(['nb8', 'fp16', 'fp32', 'as exported']),
  files: z.object({
    graph: fileSchema,
    /** The graph names it: it must keep its place and name beside the graph. Absent where the graph holds its weights itself. */
    data: fileSchema.optional(),
    /** Gathers rows of a cache that stays on a GPU: for graphs of the export layout. */
    regroup: fileSchema.optional(),
    tokenizer: fileSchema,
    tokenizerConfig: fileSchema,
    /** Jinja; absent where the checkpoint brought none. */
    chatTemplate: fileSchema.optional(),
  }),
  source: z.object({
    kind: z.enum(['hub', 'pypi', 'folder', 'gguf', 'export', 'synthetic']),
    /** Repository, package and version, or path. */
    reference: z.string(),
    revision: z.string().optional(),
    /** Of the file the weights came from. */
    sha256: z.string().optional(),
  }),
  /** SPDX identifier where there is one; null when the source does not say. */
  licence: z.string().nullable(),
  recipe: z.string(),
  converterVersion: z.int().positive(),
  createdAt: z.iso.datetime(),
  shape: z.object({
    layers: z.int().positive(),
    /** Query heads. */
    heads: z.int().positive(),
    /** Key/value heads. */
    kvHeads: z.int().positive(),
    headSize: z.int().positive(),
    hiddenSize: z.int().positive(),
    vocabSize: z.int().positive(),
    contextTokensMax: z.int().positive(),
  }),
  tokens: z.object({
    /** Generation ends at each of these. */
    eos: z.array(z.int().nonnegative()).min(1),
    bos: z.int().nonnegative().nullable(),
    pad: z.int().nonnegative().nullable(),
  }),
  /** Whether the graph also returns all logits; only graphs for tests and measurements do. */
  fullLogits: z.boolean(),
  topK: z.int().positive(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestFile = z.infer<typeof fileSchema>;

export interface FileProblem {
  /** Absolute or as given: the directory joined with the name. */
  readonly path: string;
  readonly kind: 'missing' | 'size' | 'checksum';
  /** One sentence that names the file and the command that mends it. */
  readonly message: string;
}

const remedy = (name: string) => `Run "npx amity model pull ${name}" to mend it.`;

/** @throws Error with one sentence that names the file and the command that mends it. */
export async function readManifest(directory: string): Promise<Manifest> {
  const path = join(directory, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error(
      `No model in ${directory}: run "npx amity model pull ${basename(directory)}" to fetch it.`,
      { cause },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is not valid JSON. ${remedy('<name>')}`, { cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'the whole file';
  throw new Error(
    `${path} is damaged or of another version (${where}: ${issue?.message}). ${remedy('<name>')}`,
  );
}

/**
 * Compares every file of the manifest with its size and, unless switched off, its sha256; reads in pieces.
 *
 * @returns what is wrong; empty when all is well.
 */
export async function verifyFiles(
  directory: string,
  manifest: Manifest,
  options: { checksums: boolean } = { checksums: true },
): Promise<readonly FileProblem[]> {
  const problems: FileProblem[] = [];
  for (const file of Object.values(manifest.files)) {
    if (file === undefined) continue;
    const problem = await verifyFile(directory, file, options.checksums);
    if (problem === null) continue;
    const path = join(directory, file.path);
    problems.push({
      path,
      kind: problem.kind,
      message: `${path} ${problem.what}. ${remedy(manifest.name)}`,
    });
  }
  return problems;
}

async function verifyFile(
  directory: string,
  file: ManifestFile,
  checksums: boolean,
): Promise<{ kind: FileProblem['kind']; what: string } | null> {
  const path = join(directory, file.path);
  const found = await stat(path).catch(() => null);
  if (found === null) return { kind: 'missing', what: 'is missing' };
  if (found.size !== file.bytes) {
    return { kind: 'size', what: `has ${found.size} bytes instead of ${file.bytes}` };
  }
  if (checksums && (await sha256OfFile(path)) !== file.sha256) {
    return { kind: 'checksum', what: 'is damaged: its checksum differs' };
  }
  return null;
}

/** Hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
