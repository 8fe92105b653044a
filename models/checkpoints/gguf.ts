import { open } from 'node:fs/promises';
import { type GGUFParseOutput, type GGUFTensorInfo, gguf } from '@huggingface/gguf';
import type { Checkpoint, TensorSource } from './checkpoint.ts';
import { readRange } from './file-range.ts';
import { createGgufEncodings } from './gguf-encodings.ts';
import { createMetadata, type GgufMetadata } from './gguf-metadata.ts';
import { ggufText } from './gguf-text.ts';

/** Tensor names of llama.cpp, by those of Hugging Face. */
const rootNames: Readonly<Record<string, string>> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
};
const layerNames: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'ffn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/** `general.architecture` of what can be read; also the prefix of its metadata. */
const architectures: readonly string[] = ['llama', 'qwen2'];

/** Opens a GGUF file. The metadata is read at once, weights when they are asked for. */
export async function openGguf(path: string): Promise<Checkpoint> {
  const parsed = await parse(path);
  const metadata = createMetadata({ ...parsed.metadata }, path);
  const architecture = metadata.text('general.architecture');
  if (!architectures.includes(architecture)) {
    const known = architectures.map((name) => `"${name}"`).join(' and ');
    throw new Error(`${path} holds a model of the type "${architecture}"; only ${known} can be converted`);
  }
  const infos = new Map(parsed.tensorInfos.map((info) => [info.name, info]));
  const config = toConfig(architecture, metadata, infos);
  const text = ggufText(metadata);
  const file = await open(path);
  const tensors = createTensors(infos, { config, dataStart: Number(parsed.tensorDataOffset), file, path });
  return { config, text, tensors, [Symbol.asyncDispose]: () => file.close() };
}

async function parse(path: string): Promise<GGUFParseOutput> {
  try {
    return await gguf(path, { allowLocalFile: true });
  } catch (cause) {
    throw new Error(`${path} is not a readable GGUF file: ${(cause as Error).message}`, { cause });
  }
}

function toConfig(architecture: string, metadata: GgufMetadata, infos: ReadonlyMap<string, GGUFTensorInfo>) {
  const key = (name: string) => `${architecture}.${name}`;
  const heads = metadata.number(key('attention.head_count'));
  const hidden = metadata.number(key('embedding_length'));
  const rotated = metadata.numberOr(key('rope.dimension_count'), hidden / heads);
  const headSize = metadata.numberOr(key('attention.key_length'), rotated);
  if (rotated !== headSize)
    throw new Error('Models that rotate a part of each head only can not be converted');
  const scaling = metadata.textOr(key('rope.scaling.type'), 'none');
  return {
    model_type: architecture,
    hidden_size: hidden,
    intermediate_size: metadata.number(key('feed_forward_length')),
    num_hidden_layers: metadata.number(key('block_count')),
    num_attention_heads: heads,
    num_key_value_heads: metadata.numberOr(key('attention.head_count_kv'), heads),
    head_dim: headSize,
    vocab_size: metadata.texts('tokenizer.ggml.tokens').length,
    max_position_embeddings: metadata.number(key('context_length')),
    // Stored as float32: 6 digits bring back the decimal number that was meant.
    rms_norm_eps: Number(metadata.number(key('attention.layer_norm_rms_epsilon')).toPrecision(6)),
    rope_theta: metadata.numberOr(key('rope.freq_base'), 10_000),
    ...(scaling === 'none' && !infos.has('rope_freqs.weight')
      ? {}
      : { rope_scaling: { rope_type: scaling === 'none' ? 'llama3' : scaling } }),
    tie_word_embeddings: !infos.has('output.weight'),
  };
}

function createTensors(
  infos: ReadonlyMap<string, GGUFTensorInfo>,
  {
    config,
    dataStart,
    file,
    path,
  }: {
    config: ReturnType<typeof toConfig>;
    dataStart: number;
    file: Awaited<ReturnType<typeof open>>;
    path: string;
  },
): TensorSource {
  const encodings = createGgufEncodings();
  const find = (name: string) => {
    const info = infos.get(toGgufName(name));
    if (info === undefined) throw new Error(`${path} has no tensor ${name}`);
    return info;
  };
  const readStored = async (info: GGUFTensorInfo, from: number, to: number) => {
    const encoding = encodings.get(info.dtype);
    if (encoding === undefined) {
      throw new Error(
        `${path}: tensor ${info.name} has the encoding number ${info.dtype}, which can not be read`,
      );
    }
    const [width, rows] = widthAndRows(info);
    const rowBytes = (width / encoding.blockValues) * encoding.blockBytes;
    if (!Number.isInteger(rowBytes) || to > rows) throw new Error(`${path}: tensor ${info.name} is damaged`);
    const start = dataStart + Number(info.offset) + from * rowBytes;
    return encoding.decode(await readRange(file, { start, length: (to - from) * rowBytes, path }));
  };
  return {
    has: (name) => infos.has(toGgufName(name)),
    dims: (name) => find(name).shape.map(Number).reverse(),
    async readRows(name, { from, to }) {
      const info = find(name);
      const heads = rotatedHeads(info.name, config);
      if (heads === null) return await readStored(info, from, to);
      const [width, rows] = widthAndRows(info);
      const headRows = rows / heads;
      const first = Math.floor(from / headRows) * headRows;
      const last = Math.ceil(to / headRows) * headRows;
      const values = toHalfSplit(await readStored(info, first, last), { headRows, width });
      return values.subarray((from - first) * width, (to - first) * width);
    },
  };
}

/** GGUF lists the fastest axis first; a vector counts as rows of one value. */
function widthAndRows({ shape }: GGUFTensorInfo): [number, number] {
  const [first = 1, second] = shape.map(Number);
  return second === undefined ? [1, first] : [first, second];
}

/** Queries and keys, whose rows llama.cpp reorders in Llama models, have this many heads; null for all other tensors. */
function rotatedHeads(name: string, config: ReturnType<typeof toConfig>): number | null {
  if (config.model_type !== 'llama') return null;
  if (name.endsWith('.attn_q.weight')) return config.num_attention_heads;
  if (name.endsWith('.attn_k.weight')) return config.num_key_value_heads;
  return null;
}

/**
 * llama.cpp stores the rows of a head so that the two of a rotating pair are neighbours (0, h, 1, h + 1, ...);
 * Hugging Face has all first ones, then all second ones, which is what our graph rotates.
 */
function toHalfSplit(
  stored: Float32Array,
  { headRows, width }: { headRows: number; width: number },
): Float32Array {
  const half = headRows / 2;
  const result = new Float32Array(stored.length);
  const rows = stored.length / width;
  for (let row = 0; row < rows; row++) {
    const inHead = row % headRows;
    const target = row - inHead + (inHead % 2) * half + Math.floor(inHead / 2);
    result.set(stored.subarray(row * width, (row + 1) * width), target * width);
  }
  return result;
}

function toGgufName(name: string): string {
  const [, stem = name, kind = 'weight'] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
  const layer = /^model\.layers\.(\d+)\.(.+)$/.exec(stem);
  if (layer === null) return `${rootNames[stem] ?? stem}.${kind}`;
  const [, index = '', part = ''] = layer;
  return `blk.${index}.${layerNames[part] ?? part}.${kind}`;
}
