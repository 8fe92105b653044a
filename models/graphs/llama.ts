import { z } from 'zod';
import { bytesOf } from '../onnx/graph.ts';
import { type GraphBuilder, MICROSOFT } from '../onnx/graph-builder.ts';
import { stackRows } from '../weights/matrix.ts';
import type { DecoderShape, OpenDecoder } from './decoder-layout.ts';
import { type BuildParts, type ModelFamily, parseConfig } from './family.ts';
import { matrix, stackVectors, vector } from './tensors.ts';

const configSchema = z.object({
  model_type: z.string(),
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive().nullish(),
  head_dim: z.int().positive().nullish(),
  vocab_size: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive().nullish(),
  rope_parameters: z.looseObject({ rope_theta: z.number().positive().nullish() }).nullish(),
  rope_scaling: z.looseObject({}).nullish(),
  hidden_act: z.string().default('silu'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
});

/** The published default of the family, for configurations that leave it out. */
const ROPE_THETA_DEFAULT = 10_000;

interface Llama {
  readonly shape: DecoderShape;
  readonly feedForwardSize: number;
  readonly epsilon: number;
  readonly theta: number;
  readonly tied: boolean;
  /** Whether queries, keys and values have a bias. */
  readonly isBiased: boolean;
}

/**
 * Llama and what is built like it (SmolLM2, Qwen2): RMS norm, rotary positions, grouped-query heads, gated SiLU. Qwen2 adds a bias to queries,
 * keys and values.
 */
export const llama: ModelFamily = {
  name: 'llama',
  modelTypes: ['llama', 'qwen2'],
  plan(config, { contextTokensMax }) {
    const model = parseLlama(config, contextTokensMax);
    return { shape: model.shape, build: (parts) => build(model, parts) };
  },
};

function parseLlama(raw: Readonly<Record<string, unknown>>, contextTokensMax: number): Llama {
  const config = parseConfig(configSchema, raw);
  const unsupported = (what: string) =>
    new Error(`config.json: ${what} is not supported for models of the type ${config.model_type}`);
  const rope = config.rope_scaling ?? config.rope_parameters ?? {};
  const ropeType = String(rope['rope_type'] ?? rope['type'] ?? 'default');
  if (ropeType !== 'default') throw unsupported(`rope type "${ropeType}"`);
  if (config.hidden_act !== 'silu') throw unsupported(`hidden_act "${config.hidden_act}"`);
  if (config.attention_bias || config.mlp_bias) throw unsupported('a bias in attention or feed-forward');
  if (config.use_sliding_window) throw unsupported('attention in a sliding window');
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0) throw unsupported(`${heads} heads on ${kvHeads} key/value heads`);
  return {
    shape: {
      layers: config.num_hidden_layers,
      heads,
      kvHeads,
      headSize: config.head_dim ?? config.hidden_size / heads,
      hiddenSize: config.hidden_size,
      vocabSize: config.vocab_size,
      contextTokensMax: Math.min(config.max_position_embeddings, contextTokensMax),
    },
    feedForwardSize: config.intermediate_size,
    epsilon: config.rms_norm_eps,
    theta: config.rope_parameters?.rope_theta ?? config.rope_theta ?? ROPE_THETA_DEFAULT,
    tied: config.tie_word_embeddings,
    isBiased: config.model_type === 'qwen2',
  };
}

const EMBEDDING = 'model.embed_tokens.weight';

function build(model: Llama, parts: BuildParts): void {
  const { graph, weights, tensors } = parts;
  const { layers, hiddenSize, vocabSize } = model.shape;
  const decoder = parts.layout.begin(graph, model.shape);
  const table = matrix(tensors, EMBEDDING, { rows: vocabSize, columns: hiddenSize });
  const head = model.tied
    ? table
    : matrix(tensors, 'lm_head.weight', { rows: vocabSize, columns: hiddenSize });
  const rotation = rotationTables(graph, model);
  const norms = Array.from({ length: layers }, (_, layer) => `model.layers.${layer}.input_layernorm.weight`);

  let residual = weights.embedding(graph, decoder.inputIds, table);
  let hidden = graph.node('SimplifiedLayerNormalization', [residual, vector(parts, norms[0]!, hiddenSize)], {
    attributes: { axis: { int: -1 }, epsilon: { float: model.epsilon }, stash_type: { int: 1 } },
  });
  for (let layer = 0; layer < layers; layer++) {
    const name = `model.layers.${layer}`;
    const attended = attention(model, parts, { decoder, rotation, layer, hidden });
    const middle = addAndNorm(model, parts, {
      value: attended,
      residual,
      norm: `${name}.post_attention_layernorm.weight`,
    });
    const next = addAndNorm(model, parts, {
      value: feedForward(model, parts, { name, hidden: middle.hidden }),
      residual: middle.residual,
      norm: norms[layer + 1] ?? 'model.norm.weight',
    });
    hidden = next.hidden;
    residual = next.residual;
  }
  decoder.finish(hidden, {
    project: (rows) => weights.linear(graph, rows, { matrix: head }),
    fullLogits: parts.fullLogits,
  });
}

function attention(
  model: Llama,
  parts: BuildParts,
  at: { decoder: OpenDecoder; rotation: readonly string[]; layer: number; hidden: string },
): string {
  const { graph, weights, tensors } = parts;
  const { kvHeads, headSize, hiddenSize } = model.shape;
  const name = `model.layers.${at.layer}.self_attn`;
  const heads = (part: string, count: number) => ({ part, rows: count * headSize });
  const [query, key, value] = [heads('q', model.shape.heads), heads('k', kvHeads), heads('v', kvHeads)];
  const project = (title: string, wanted: readonly HeadRows[]) =>
    projectHeads(model, parts, { name, title, hidden: at.hidden, wanted });
  const context = at.decoder.attention(at.layer, {
    together: () => project('qkv', [query, key, value]),
    apart: () => [project('q', [query]), project('k', [key]), project('v', [value])],
    rotate: (turning) =>
      graph.node('RotaryEmbedding', [turning, at.decoder.positionIds, ...at.rotation], { domain: MICROSOFT }),
  });
  const output = matrix(tensors, `${name}.o_proj.weight`, {
    rows: hiddenSize,
    columns: query.rows,
  });
  return weights.linear(graph, context, { matrix: output });
}

/** A part of the checkpoint's projections: `q`, `k` or `v`. */
interface HeadRows {
  readonly part: string;
  readonly rows: number;
}

/** One product for all that is wanted, the parts one behind the other. */
function projectHeads(
  { shape, isBiased }: Llama,
  { graph, weights, tensors }: BuildParts,
  {
    name,
    title,
    hidden,
    wanted,
  }: { name: string; title: string; hidden: string; wanted: readonly HeadRows[] },
): string {
  const stacked = stackRows(
    `${name}.${title}_proj.weight`,
    wanted.map(({ part, rows }) =>
      matrix(tensors, `${name}.${part}_proj.weight`, { rows, columns: shape.hiddenSize }),
    ),
  );
  if (!isBiased) return weights.linear(graph, hidden, { matrix: stacked });
  const biases = wanted.map(({ part, rows }) => ({ name: `${name}.${part}_proj.bias`, length: rows }));
  const bias = stackVectors({ graph, tensors }, `${name}.${title}_proj.bias`, biases);
  return weights.linear(graph, hidden, { matrix: stacked, bias });
}

function feedForward(
  model: Llama,
  { graph, weights, tensors }: BuildParts,
  at: { name: string; hidden: string },
): string {
  const { hiddenSize } = model.shape;
  const size = model.feedForwardSize;
  const wide = (part: string) =>
    matrix(tensors, `${at.name}.mlp.${part}_proj.weight`, { rows: size, columns: hiddenSize });
  // Two products: cutting one of both in two again costs more than starting a second one.
  const gate = weights.linear(graph, at.hidden, { matrix: wide('gate') });
  const up = weights.linear(graph, at.hidden, { matrix: wide('up') });
  // QuickGelu with alpha 1 is x * sigmoid(x), that is SiLU, in one kernel.
  const activated = graph.node('QuickGelu', [gate], {
    domain: MICROSOFT,
    attributes: { alpha: { float: 1 } },
  });
  const down = matrix(tensors, `${at.name}.mlp.down_proj.weight`, { rows: hiddenSize, columns: size });
  return weights.linear(graph, graph.node('Mul', [activated, up]), { matrix: down });
}

/** residual + value, and its RMS norm. */
function addAndNorm(
  model: Llama,
  parts: BuildParts,
  at: { value: string; residual: string; norm: string },
): { hidden: string; residual: string } {
  const hidden = `${at.norm}.output`;
  const residual = `${at.norm}.residual`;
  const scale = vector(parts, at.norm, model.shape.hiddenSize);
  parts.graph.node('SkipSimplifiedLayerNormalization', [at.value, at.residual, scale], {
    domain: MICROSOFT,
    outputs: [hidden, '', '', residual],
    attributes: { epsilon: { float: model.epsilon } },
  });
  return { hidden, residual };
}

/** Cosines and sines [contextTokensMax, headSize / 2], computed in float64. */
function rotationTables(graph: GraphBuilder, { shape, theta }: Llama): readonly string[] {
  const half = shape.headSize / 2;
  const table = (of: (angle: number) => number) => {
    const values = new Float32Array(shape.contextTokensMax * half);
    for (let position = 0; position < shape.contextTokensMax; position++) {
      for (let pair = 0; pair < half; pair++) {
        values[position * half + pair] = of(position * theta ** (-pair / half));
      }
    }
    return values;
  };
  const add = (name: string, of: (angle: number) => number) =>
    graph.initializer({
      name,
      type: 'float32',
      dims: [shape.contextTokensMax, half],
      chunks: () => [bytesOf(table(of))],
    });
  return [add('rotation.cos', Math.cos), add('rotation.sin', Math.sin)];
}
