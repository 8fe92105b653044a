/** Graphs of the export layout have the logits of transformers, fused and as an exporter writes them; and what the peers of the bench get is the checkpoint. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGguf } from '../../../bench/peers/gguf-file.ts';
import { writeExport } from '../../../bench/peers/models.ts';
import { openGguf } from '../../../models/checkpoints/gguf.ts';
import { openHuggingFaceFolder } from '../../../models/checkpoints/hugging-face-folder.ts';
import { convertModel } from '../../../models/convert.ts';
import { importModel } from '../../../models/import.ts';
import { GraphBuilder } from '../../../models/onnx/graph-builder.ts';
import { writeOnnxModel } from '../../../models/onnx/writer.ts';
import { HostCache } from '../../../src/onnx/export-cache.ts';
import { ExportRunner } from '../../../src/onnx/export-runner.ts';
import { MANIFEST_FILE, readManifest, verifyFiles } from '../../../src/onnx/manifest.ts';
import { openRunner } from '../../../src/onnx/open-runner.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const size = { slots: 1, positions: 64 };

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'amity-export-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function expectedOf(name: string) {
  const text = await readFile(join(fixtures, name, 'expected.json'), 'utf8');
  const { ids, logits } = JSON.parse(text) as { ids: number[]; logits: number[][] };
  const scores = ids.slice(1).map((id, place) => {
    const row = logits[place]!;
    return row[id]! - Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
  });
  return { ids: Int32Array.from(ids), scores };
}

describe.each(['llama-tied-f16', 'llama-untied-bf16', 'gpt2-f32', 'qwen2-tied-f32'])('%s', (name) => {
  it('scores a text as transformers does, in the export layout', async () => {
    const directory = await mkdtemp(join(scratch, `${name}-`));
    await using checkpoint = await openHuggingFaceFolder(join(fixtures, name));
    const manifest = await convertModel({
      checkpoint,
      directory,
      name,
      weights: 'fp32',
      layout: 'export',
      source: { kind: 'folder', reference: name },
      licence: null,
      createdAt: new Date(0),
    });
    await using runner = await openRunner({ directory, manifest, threads: 1, ...size });
    const { ids, scores } = await expectedOf(name);
    const found = await runner.scoreTokens(ids);
    for (const [place, score] of found.entries()) expect(score).toBeCloseTo(scores[place]!, 3);
  });
});

describe('for the peers', () => {
  const name = 'llama-untied-bf16';

  it('norms, rotation and activation step by step compute what the fused operators do', async () => {
    await using checkpoint = await openHuggingFaceFolder(join(fixtures, name));
    const path = join(scratch, 'plain.onnx');
    const shape = await writeExport(checkpoint, { path, weights: 'fp32' });
    const session = await InferenceSession.create(path, { graphOptimizationLevel: 'disabled' });
    await using runner = new ExportRunner(session, new HostCache(shape), { shape, topK: 1, ...size });
    const { ids, scores } = await expectedOf(name);
    const found = await runner.scoreTokens(ids);
    for (const [place, score] of found.entries()) expect(score).toBeCloseTo(scores[place]!, 3);
  });

  it('the GGUF file gives back every tensor, within half a step of its blocks', async () => {
    await using checkpoint = await openHuggingFaceFolder(join(fixtures, name));
    const path = join(scratch, 'model.gguf');
    await writeGguf(checkpoint, path);
    await using written = await openGguf(path);
    for (const key of ['hidden_size', 'num_hidden_layers', 'num_key_value_heads', 'rms_norm_eps']) {
      expect(written.config[key]).toBe(checkpoint.config[key]);
    }
    expect(checkpoint.config['rope_parameters']).toMatchObject({ rope_theta: written.config['rope_theta'] });
    for (const tensor of [
      'model.embed_tokens.weight',
      'model.norm.weight',
      'lm_head.weight',
      'model.layers.1.self_attn.q_proj.weight',
      'model.layers.1.self_attn.k_proj.weight',
      'model.layers.0.mlp.down_proj.weight',
    ]) {
      const [rows = 0] = checkpoint.tensors.dims(tensor);
      expect(written.tensors.dims(tensor)).toEqual(checkpoint.tensors.dims(tensor));
      const range = { from: 0, to: rows };
      const original = await checkpoint.tensors.readRows(tensor, range);
      const found = await written.tensors.readRows(tensor, range);
      const largest = Math.max(...original.map(Math.abs));
      for (const [place, value] of found.entries()) {
        expect(Math.abs(value - original[place]!)).toBeLessThanOrEqual(largest / 127);
      }
    }
  });
});

describe('an exported graph of your own', () => {
  /** A folder as the Hub has it: config and tokenizer above, graphs in onnx/. */
  async function makeFolder(): Promise<string> {
    const folder = await mkdtemp(join(scratch, 'hub-'));
    const from = join(fixtures, 'llama-tied-f16');
    for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
      await copyFile(join(from, file), join(folder, file));
    }
    await mkdir(join(folder, 'onnx'));
    await using checkpoint = await openHuggingFaceFolder(from);
    await writeExport(checkpoint, { path: join(folder, 'onnx', 'model.onnx'), weights: 'fp32' });
    return folder;
  }

  it('becomes a model that the engine runs', async () => {
    const graph = join(await makeFolder(), 'onnx', 'model.onnx');
    const { manifest, directory } = await importModel({
      from: graph,
      name: 'mine',
      modelsDirectory: scratch,
    });
    expect(manifest).toMatchObject({ layout: 'export', weights: 'as exported', source: { kind: 'export' } });
    expect(await verifyFiles(directory, await readManifest(directory))).toEqual([]);
    const described = Object.values(manifest.files).flatMap((file) => file?.path ?? []);
    expect((await readdir(directory)).sort()).toEqual([...described, MANIFEST_FILE].sort());
    await using runner = await openRunner({ directory, manifest, threads: 1, ...size });
    expect(await runner.warmUp()).toEqual([]);
    const { ids, scores } = await expectedOf('llama-tied-f16');
    const found = await runner.scoreTokens(ids);
    for (const [place, score] of found.entries()) expect(score).toBeCloseTo(scores[place]!, 3);
  });

  it('is refused with a sentence where something is missing', async () => {
    const folder = await makeFolder();
    const attempt = (from: string, weights?: 'nb8') =>
      importModel({ from, name: 'other', modelsDirectory: scratch, weights });
    await expect(attempt(folder)).rejects.toThrow(`name the graph: ${join(folder, 'onnx', 'model.onnx')}`);
    await expect(attempt(join(folder, 'onnx', 'model.onnx'), 'nb8')).rejects.toThrow(
      'leave weights and layout out',
    );
    await writeFile(join(folder, 'onnx', 'model.onnx_data'), '');
    await expect(attempt(join(folder, 'onnx', 'model.onnx'))).rejects.toThrow('in several files');
    await rm(join(folder, 'config.json'));
    await expect(attempt(join(folder, 'onnx', 'model.onnx'))).rejects.toThrow('has no config.json');
  });

  it('is no decoder when it lacks a cache', async () => {
    const path = join(scratch, 'other.onnx');
    const graph = new GraphBuilder();
    graph.input({ name: 'x', type: 'float32', dims: ['N'] });
    graph.node('Identity', ['x'], { outputs: ['y'] });
    graph.output({ name: 'y', type: 'float32', dims: ['N'] });
    await writeOnnxModel(graph.finish('other'), { path, onTensor: () => {} });
    const session = await InferenceSession.create(path);
    const shape = { layers: 1, kvHeads: 1, headSize: 4 };
    expect(() => new ExportRunner(session, new HostCache(shape), { shape, topK: 1, ...size })).toThrow(
      'has no input input_ids',
    );
    await session.release();
  });
});
