import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GRAPH_LAYOUT, GRAPH_TOP_K } from '../src/onnx/graph-contract.ts';
import { MANIFEST_FILE, type Manifest, type ManifestFile, manifestSchema } from '../src/onnx/manifest.ts';
import type { Checkpoint } from './checkpoints/checkpoint.ts';
import type { DecoderLayout, DecoderShape } from './graphs/decoder-layout.ts';
import type { ModelFamily } from './graphs/family.ts';
import { gpt2 } from './graphs/gpt2.ts';
import { layoutD5 } from './graphs/layout-d5.ts';
import { layoutExport } from './graphs/layout-export.ts';
import { llama } from './graphs/llama.ts';
import { regroupGraph } from './graphs/regroup.ts';
import { GraphBuilder } from './onnx/graph-builder.ts';
import { writeOnnxModel } from './onnx/writer.ts';
import { fp16 } from './weights/fp16.ts';
import { fp32 } from './weights/fp32.ts';
import { nb8 } from './weights/nb8.ts';
import type { WeightFormat } from './weights/weight-format.ts';

/** Raise it when the same checkpoint would give another graph: it is stored in each manifest. */
export const CONVERTER_VERSION = 3;
/** Longer contexts cost memory in the position tables and nothing here uses them yet. */
const CONTEXT_TOKENS_MAX = 8192;

/** Formats that weights can be converted to. */
export type WeightName = Exclude<Manifest['weights'], 'as exported'>;

const families: readonly ModelFamily[] = [llama, gpt2];
const weightFormats: Readonly<Record<WeightName, WeightFormat>> = { fp32, fp16, nb8 };
const layouts: Readonly<Record<Manifest['layout'], DecoderLayout>> = { d5: layoutD5, export: layoutExport };

const fileNames = {
  graph: 'model.onnx',
  data: 'model.onnx.data',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
  chatTemplate: 'chat_template.jinja',
  regroup: 'regroup.onnx',
} as const;

export interface Conversion {
  readonly checkpoint: Checkpoint;
  /** An existing, empty directory. */
  readonly directory: string;
  readonly name: string;
  readonly weights: WeightName;
  /** The layout that is run fastest, unless another is asked for. */
  readonly layout?: Manifest['layout'];
  readonly fullLogits?: boolean;
  readonly source: Manifest['source'];
  readonly licence: string | null;
  readonly createdAt: Date;
  onTensor?(tensors: number, tensorsTotal: number): void;
}

/**
 * Turns a checkpoint into a model directory: graph, weights, tokenizer, chat template, manifest. The
 * manifest is written last, so that a directory with one is complete.
 *
 * @throws Error with one sentence when the checkpoint is of a kind that is not built.
 */
export async function convertModel(conversion: Conversion): Promise<Manifest> {
  const { checkpoint, directory, fullLogits = false } = conversion;
  const weights = weightFormats[conversion.weights];
  const layout = layouts[conversion.layout ?? GRAPH_LAYOUT];
  const family = findFamily(checkpoint.config);
  const model = family.plan(checkpoint.config, { contextTokensMax: CONTEXT_TOKENS_MAX });
  const graph = new GraphBuilder();
  model.build({ graph, layout, weights, tensors: checkpoint.tensors, fullLogits });
  const written = await writeOnnxModel(graph.finish(conversion.name), {
    path: join(directory, fileNames.graph),
    onTensor: (done, total) => conversion.onTensor?.(done, total),
  });
  const manifest = manifestSchema.parse({
    formatVersion: 1,
    name: conversion.name,
    family: family.name,
    layout: layout.name,
    weights: weights.name,
    files: {
      graph: { path: fileNames.graph, ...written.graph },
      data: { path: fileNames.data, ...written.data },
      ...(layout === layoutExport ? await writeRegroup(model.shape, directory) : {}),
      ...(await writeText(checkpoint, directory)),
    },
    source: conversion.source,
    licence: conversion.licence,
    recipe: `${family.name}/${layout.name}/${weights.name}`,
    converterVersion: CONVERTER_VERSION,
    createdAt: conversion.createdAt.toISOString(),
    shape: model.shape,
    tokens: checkpoint.text.tokens,
    fullLogits,
    topK: GRAPH_TOP_K,
  });
  await writeManifest(manifest, directory);
  return manifest;
}

/** To be written last: a directory with a manifest is complete. */
export async function writeManifest(manifest: Manifest, directory: string): Promise<void> {
  await writeSynced(join(directory, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
}

function findFamily(config: Readonly<Record<string, unknown>>): ModelFamily {
  const type = String(config['model_type']);
  const family = families.find((candidate) => candidate.modelTypes.includes(type));
  if (family !== undefined) return family;
  const known = families.flatMap((candidate) => candidate.modelTypes).join(', ');
  throw new Error(`Models of the type "${type}" can not be converted; supported: ${known}`);
}

/** The graph beside an exported decoder that a GPU needs. */
export async function writeRegroup(
  shape: Pick<DecoderShape, 'layers' | 'kvHeads' | 'headSize'>,
  directory: string,
): Promise<{ regroup: ManifestFile }> {
  const path = join(directory, fileNames.regroup);
  const written = await writeOnnxModel(regroupGraph(shape), { path, onTensor: () => {} });
  // It has no weights.
  await rm(`${path}.data`);
  return { regroup: { path: fileNames.regroup, ...written.graph } };
}

export async function writeText({ text }: Pick<Checkpoint, 'text'>, directory: string) {
  const write = async (path: string, contents: string): Promise<ManifestFile> => {
    await writeSynced(join(directory, path), contents);
    const bytes = Buffer.from(contents);
    return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  return {
    tokenizer: await write(fileNames.tokenizer, JSON.stringify(text.tokenizer)),
    tokenizerConfig: await write(fileNames.tokenizerConfig, JSON.stringify(text.tokenizerConfig)),
    ...(text.chatTemplate === null
      ? {}
      : { chatTemplate: await write(fileNames.chatTemplate, text.chatTemplate) }),
  };
}

async function writeSynced(path: string, contents: string): Promise<void> {
  await writeFile(path, contents, { flush: true });
}
