/** One checkpoint in 8 bits for each engine: our graph, an export for transformers.js, a GGUF file for llama.cpp. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Checkpoint } from '../../models/checkpoints/checkpoint.ts';
import { convertModel, type WeightName } from '../../models/convert.ts';
import { exportLayout } from '../../models/graphs/layout-export.ts';
import { llama } from '../../models/graphs/llama.ts';
import { GraphBuilder } from '../../models/onnx/graph-builder.ts';
import { writeOnnxModel } from '../../models/onnx/writer.ts';
import type { FetchedCheckpoint } from '../../models/sources/source.ts';
import { fp32 } from '../../models/weights/fp32.ts';
import { nb8 } from '../../models/weights/nb8.ts';
import type { Manifest } from '../../src/onnx/manifest.ts';
import { unfuse } from './unfuse.ts';

const contextTokensMax = 2048;

/** An empty directory for the models of one measurement; what a former one left is removed. */
export async function emptyCache(name: string): Promise<string> {
  const directory = fileURLToPath(new URL(`../.cache/${name}`, import.meta.url));
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  return directory;
}

/** @returns its directory and manifest. */
export async function makeOwnModel(
  { open, source }: FetchedCheckpoint,
  options: {
    readonly parent: string;
    readonly weights: WeightName;
    readonly layout?: Manifest['layout'];
  },
): Promise<{ directory: string; manifest: Manifest }> {
  const directory = join(options.parent, `own-${options.weights}`);
  await mkdir(directory);
  await using checkpoint = await open();
  const manifest = await convertModel({
    checkpoint,
    directory,
    name: 'own',
    weights: options.weights,
    ...(options.layout === undefined ? {} : { layout: options.layout }),
    source,
    licence: null,
    createdAt: new Date(),
  });
  return { directory, manifest };
}

/**
 * The decoder as an exporter writes it.
 *
 * @param options.lastLogits as newer exports have it; that of the default model on the Hub returns the logits of all tokens
 */
export async function writeExport(
  { config, tensors }: Checkpoint,
  {
    path,
    weights,
    lastLogits = false,
  }: { readonly path: string; readonly weights: 'nb8' | 'fp32'; readonly lastLogits?: boolean },
): Promise<Manifest['shape']> {
  const model = llama.plan(config, { contextTokensMax });
  const graph = new GraphBuilder();
  const format = { nb8, fp32 }[weights];
  model.build({ graph, layout: exportLayout({ lastLogits }), weights: format, tensors, fullLogits: false });
  const plain = unfuse(graph.finish('export'), { headSize: model.shape.headSize });
  await writeOnnxModel(plain, { path, onTensor: () => {} });
  return model.shape;
}

/** A folder as transformers.js reads it, named like its 8-bit variant. */
export async function writeTransformersFolder(
  checkpoint: Checkpoint,
  directory: string,
  { lastLogits }: { readonly lastLogits: boolean },
): Promise<void> {
  await mkdir(join(directory, 'onnx'), { recursive: true });
  await writeExport(checkpoint, {
    path: join(directory, 'onnx', 'model_quantized.onnx'),
    weights: 'nb8',
    lastLogits,
  });
  const { tokenizer, tokenizerConfig } = checkpoint.text;
  const files = {
    'config.json': checkpoint.config,
    'tokenizer.json': tokenizer,
    'tokenizer_config.json': tokenizerConfig,
  };
  for (const [name, contents] of Object.entries(files)) {
    await writeFile(join(directory, name), JSON.stringify(contents));
  }
}
