import { constants } from 'node:fs';
import { copyFile, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { EXPORT_LAYOUT } from '../src/onnx/export-contract.ts';
import { GRAPH_TOP_K } from '../src/onnx/graph-contract.ts';
import { type Manifest, type ManifestFile, manifestSchema, sha256OfFile } from '../src/onnx/manifest.ts';
import { readDescription } from './checkpoints/hugging-face-folder.ts';
import { CONVERTER_VERSION, writeManifest, writeRegroup, writeText } from './convert.ts';

const configSchema = z.object({
  model_type: z.string(),
  hidden_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive().nullish(),
  head_dim: z.int().positive().nullish(),
  vocab_size: z.int().positive(),
  max_position_embeddings: z.int().positive(),
});

/** GPT-2 has names of its own for these. */
const aliases = {
  n_embd: 'hidden_size',
  n_layer: 'num_hidden_layers',
  n_head: 'num_attention_heads',
  n_positions: 'max_position_embeddings',
} as const;

/**
 * Takes an exported graph as it is, as the Hub has them (`onnx/model*.onnx` in a folder with config.json and tokenizer.json), and describes
 * it in a manifest. It runs as it was exported: slower than a converted checkpoint.
 *
 * @throws Error with one sentence.
 */
export async function takeExport(
  graphPath: string,
  model: Pick<Manifest, 'name' | 'source' | 'licence'> & { directory: string; createdAt: Date },
): Promise<Manifest> {
  const parent = dirname(graphPath);
  const folder = basename(parent) === 'onnx' ? dirname(parent) : parent;
  const { config, text } = await readDescription(folder);
  const { family, shape } = readShape(config);
  const data = await findData(graphPath);
  const take = async (path: string): Promise<ManifestFile> => {
    const target = join(model.directory, basename(path));
    // Without a second copy on the disk, where the file system can.
    await copyFile(path, target, constants.COPYFILE_FICLONE);
    return { path: basename(path), bytes: (await stat(target)).size, sha256: await sha256OfFile(target) };
  };
  const manifest = manifestSchema.parse({
    formatVersion: 1,
    name: model.name,
    family,
    layout: EXPORT_LAYOUT,
    weights: 'as exported',
    files: {
      graph: await take(graphPath),
      ...(data === null ? {} : { data: await take(data) }),
      ...(await writeRegroup(shape, model.directory)),
      ...(await writeText({ text }, model.directory)),
    },
    source: model.source,
    licence: model.licence,
    recipe: `${family}/${EXPORT_LAYOUT}`,
    converterVersion: CONVERTER_VERSION,
    createdAt: model.createdAt.toISOString(),
    shape,
    tokens: text.tokens,
    fullLogits: true,
    topK: Math.min(GRAPH_TOP_K, shape.vocabSize),
  });
  await writeManifest(manifest, model.directory);
  return manifest;
}

function readShape(raw: Readonly<Record<string, unknown>>): { family: string; shape: Manifest['shape'] } {
  const named = Object.entries(raw).map(([key, value]) => [
    aliases[key as keyof typeof aliases] ?? key,
    value,
  ]);
  const parsed = configSchema.safeParse(Object.fromEntries(named));
  if (!parsed.success) throw new Error(`config.json: ${z.prettifyError(parsed.error)}`);
  const config = parsed.data;
  const heads = config.num_attention_heads;
  return {
    family: config.model_type,
    shape: {
      layers: config.num_hidden_layers,
      heads,
      kvHeads: config.num_key_value_heads ?? heads,
      headSize: config.head_dim ?? config.hidden_size / heads,
      hiddenSize: config.hidden_size,
      vocabSize: config.vocab_size,
      contextTokensMax: config.max_position_embeddings,
    },
  };
}

/** The file beside the graph that holds its weights; null where the graph does. */
async function findData(graphPath: string): Promise<string | null> {
  const graph = basename(graphPath);
  const files = await readdir(dirname(graphPath));
  const found = files.filter((file) => file.startsWith(`${graph}_data`) || file.startsWith(`${graph}.data`));
  if (found.length > 1)
    throw new Error(`${graphPath} has its weights in several files, which is not supported`);
  return found[0] === undefined ? null : join(dirname(graphPath), found[0]);
}
