/** The weights of a Llama checkpoint as a GGUF file in Q8_0, for llama.cpp; its tokenizer is a stand-in, as prompts are token ids. */
import { open } from 'node:fs/promises';
import type { Checkpoint } from '../../models/checkpoints/checkpoint.ts';
import { bytesOf } from '../../models/onnx/graph.ts';
import { toHalf } from '../../models/weights/half.ts';

const ALIGNMENT = 32;
const BLOCK = 32;
const types = { f32: 0, q8: 8 } as const;
const MOSTLY_Q8_0 = 7;

interface LlamaConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim?: number;
  readonly vocab_size: number;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  readonly rope_theta?: number;
  readonly rope_parameters?: { readonly rope_theta?: number };
}

interface StoredTensor {
  readonly name: string;
  readonly dims: readonly number[];
  read(): Promise<Float32Array>;
}

export async function writeGguf({ config, tensors }: Checkpoint, path: string): Promise<void> {
  const model = config as unknown as LlamaConfig;
  const stored = [...listTensors(model, tensors)];
  let offset = 0;
  const infos = stored.map(({ name, dims }) => {
    const type = dims.length === 1 ? types.f32 : types.q8;
    const values = dims.reduce((product, size) => product * size, 1);
    const start = offset;
    offset = aligned(start + (type === types.f32 ? 4 * values : (values / BLOCK) * (BLOCK + 2)));
    return Buffer.concat([
      text(name),
      u32(dims.length),
      ...dims.toReversed().map(u64),
      u32(type),
      u64(start),
    ]);
  });
  const metadata = listMetadata(model);
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(stored.length),
    u64(metadata.length),
    ...metadata,
    ...infos,
  ]);
  await using file = await open(path, 'w');
  await file.write(padded(head));
  for (const tensor of stored) {
    const values = await tensor.read();
    await file.write(padded(tensor.dims.length === 1 ? bytesOf(values) : toQ8(values)));
  }
}

function* listTensors(model: LlamaConfig, tensors: Checkpoint['tensors']): Generator<StoredTensor> {
  const tensor = (name: string, source: string, heads?: number): StoredTensor => {
    const dims = tensors.dims(source);
    return {
      name,
      dims,
      async read() {
        const values = await tensors.readRows(source, { from: 0, to: dims[0] ?? 0 });
        return heads === undefined ? values : toPairs(values, { heads, width: dims[1] ?? 1 });
      },
    };
  };
  yield tensor('token_embd.weight', 'model.embed_tokens.weight');
  for (let layer = 0; layer < model.num_hidden_layers; layer++) {
    const from = `model.layers.${layer}`;
    const to = `blk.${layer}`;
    yield tensor(`${to}.attn_norm.weight`, `${from}.input_layernorm.weight`);
    yield tensor(`${to}.attn_q.weight`, `${from}.self_attn.q_proj.weight`, model.num_attention_heads);
    yield tensor(`${to}.attn_k.weight`, `${from}.self_attn.k_proj.weight`, model.num_key_value_heads);
    yield tensor(`${to}.attn_v.weight`, `${from}.self_attn.v_proj.weight`);
    yield tensor(`${to}.attn_output.weight`, `${from}.self_attn.o_proj.weight`);
    yield tensor(`${to}.ffn_norm.weight`, `${from}.post_attention_layernorm.weight`);
    yield tensor(`${to}.ffn_gate.weight`, `${from}.mlp.gate_proj.weight`);
    yield tensor(`${to}.ffn_up.weight`, `${from}.mlp.up_proj.weight`);
    yield tensor(`${to}.ffn_down.weight`, `${from}.mlp.down_proj.weight`);
  }
  yield tensor('output_norm.weight', 'model.norm.weight');
  if (tensors.has('lm_head.weight')) yield tensor('output.weight', 'lm_head.weight');
}

function listMetadata(model: LlamaConfig): Buffer[] {
  const number = (key: string, value: number) => Buffer.concat([text(key), u32(4), u32(value)]);
  const decimal = (key: string, value: number) => Buffer.concat([text(key), u32(6), f32(value)]);
  const string = (key: string, value: string) => Buffer.concat([text(key), u32(8), text(value)]);
  const list = (key: string, type: number, values: readonly Buffer[]) =>
    Buffer.concat([text(key), u32(9), u32(type), u64(values.length), ...values]);
  const ids = Array.from({ length: model.vocab_size }, (_, id) => id);
  return [
    string('general.architecture', 'llama'),
    number('general.file_type', MOSTLY_Q8_0),
    number('llama.context_length', model.max_position_embeddings),
    number('llama.embedding_length', model.hidden_size),
    number('llama.block_count', model.num_hidden_layers),
    number('llama.feed_forward_length', model.intermediate_size),
    number('llama.attention.head_count', model.num_attention_heads),
    number('llama.attention.head_count_kv', model.num_key_value_heads),
    decimal('llama.attention.layer_norm_rms_epsilon', model.rms_norm_eps),
    decimal('llama.rope.freq_base', model.rope_parameters?.rope_theta ?? model.rope_theta ?? 10_000),
    number('llama.rope.dimension_count', model.head_dim ?? model.hidden_size / model.num_attention_heads),
    string('tokenizer.ggml.model', 'gpt2'),
    string('tokenizer.ggml.pre', 'smollm'),
    list(
      'tokenizer.ggml.tokens',
      8,
      // The first ones are the visible characters, so that a tokenizer can be made of them at all.
      ids.map((id) => text(id >= 33 && id < 127 ? String.fromCharCode(id) : `t${id}`)),
    ),
    list(
      'tokenizer.ggml.token_type',
      5,
      ids.map(() => u32(1)),
    ),
    list('tokenizer.ggml.merges', 8, [text('a b')]),
    number('tokenizer.ggml.bos_token_id', 0),
    number('tokenizer.ggml.eos_token_id', 1),
  ];
}

/** llama.cpp wants the two rows of a rotating pair beside each other; the checkpoint has all first ones, then all second ones. */
function toPairs(values: Float32Array, { heads, width }: { heads: number; width: number }): Float32Array {
  const rows = values.length / width / heads;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows * heads; row++) {
    const inHead = row % rows;
    const from = row - inHead + (inHead % 2) * (rows / 2) + Math.floor(inHead / 2);
    result.set(values.subarray(from * width, (from + 1) * width), row * width);
  }
  return result;
}

/** Blocks of a half-precision scale and 32 signed bytes, as `quantize_row_q8_0` of ggml makes them. */
function toQ8(values: Float32Array): Uint8Array {
  const blocks = values.length / BLOCK;
  const scales = new Float32Array(blocks);
  const result = new Uint8Array(blocks * (BLOCK + 2));
  for (let block = 0; block < blocks; block++) {
    const own = values.subarray(block * BLOCK, (block + 1) * BLOCK);
    const scale = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    scales[block] = scale;
    const at = block * (BLOCK + 2) + 2;
    own.forEach((value, i) => {
      result[at + i] = scale === 0 ? 0 : Math.round(value / scale);
    });
  }
  toHalf(scales).forEach((half, block) => {
    result[block * (BLOCK + 2)] = half & 255;
    result[block * (BLOCK + 2) + 1] = half >> 8;
  });
  return result;
}

const aligned = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;
const padded = (bytes: Uint8Array) =>
  Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}
