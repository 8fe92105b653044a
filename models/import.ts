import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type Manifest, MODEL_NAME_PATTERN } from '../src/onnx/manifest.ts';
import { openGguf } from './checkpoints/gguf.ts';
import { openHuggingFaceFolder } from './checkpoints/hugging-face-folder.ts';
import { convertModel, type WeightName } from './convert.ts';
import { installModel, type PulledModel } from './install.ts';
import type { PullProgress } from './sources/source.ts';
import { takeExport } from './take-export.ts';

export interface ImportOptions {
  /** A Hugging Face folder, a GGUF file, or an exported ONNX graph in such a folder. */
  readonly from: string;
  readonly name: string;
  readonly modelsDirectory: string;
  /** Default: 8-bit. An exported graph keeps what it has. */
  readonly weights?: WeightName | undefined;
  /** Default: the one that processors run fastest. */
  readonly layout?: Manifest['layout'] | undefined;
  readonly licence?: string | undefined;
  onProgress?(progress: PullProgress): void;
}

/** Makes a model of what is on this machine. @throws Error with one sentence. */
export async function importModel(options: ImportOptions): Promise<PulledModel> {
  const { name, weights, layout, licence = null } = options;
  if (!MODEL_NAME_PATTERN.test(name)) {
    throw new Error(`"${name}" can not be the name of a model: small letters, digits, ".", "_" and "-" only`);
  }
  const from = resolve(options.from);
  const kind = await kindOf(from);
  if (kind === 'export' && (weights !== undefined || layout !== undefined)) {
    throw new Error(`${from} is an exported graph, which stays as it is; leave weights and layout out`);
  }
  const source: Manifest['source'] = { kind, reference: basename(from) };
  return await installModel(options.modelsDirectory, name, async ({ directory }) => {
    const made = { directory, name, source, licence, createdAt: new Date() };
    if (kind === 'export') return await takeExport(from, made);
    await using checkpoint = await (kind === 'folder' ? openHuggingFaceFolder(from) : openGguf(from));
    return await convertModel({
      ...made,
      checkpoint,
      weights: weights ?? 'nb8',
      ...(layout === undefined ? {} : { layout }),
      onTensor: (tensors, tensorsTotal) => options.onProgress?.({ kind: 'convert', tensors, tensorsTotal }),
    });
  });
}

async function kindOf(from: string): Promise<'folder' | 'gguf' | 'export'> {
  const found = await stat(from).catch(() => null);
  if (found === null) throw new Error(`${from} does not exist`);
  if (!found.isDirectory()) return from.endsWith('.onnx') ? 'export' : 'gguf';
  const files = await readdir(from);
  if (!files.some((file) => file.endsWith('.safetensors')) && files.includes('onnx')) {
    const graphs = (await readdir(join(from, 'onnx'))).filter((file) => file.endsWith('.onnx'));
    throw new Error(
      `${from} has exported graphs but no checkpoint; name the graph: ${graphs.map((file) => join(from, 'onnx', file)).join(', ')}`,
    );
  }
  return 'folder';
}
