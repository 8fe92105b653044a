import { z } from 'zod';
import { bytesOf } from '../onnx/graph.ts';
import { MICROSOFT } from '../onnx/graph-builder.ts';
import type { DecoderShape, OpenDecoder } from './decoder-layout.ts';
import { type BuildParts, type ModelFamily, parseConfig } from './family.ts';
import { matrix, transposedMatrix, vector } from './tensors.ts';

const configSchema = z.object({
  n_embd: z.int().positive(),
  n_layer: z.int().positive(),
  n_head: z.int().positive(),
  n_positions: z.int().positive(),
  n_inner: z.int().positive().nullish(),
  vocab_size: z.int().positive(),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: z.string().default('gelu_new'),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
});

interface Gpt2 {
  readonly shape: DecoderShape;
  readonly feedForwardSize: number;
  readonly epsilon: number;
}

/**
 * GPT-2 in all its sizes: learned positions, layer norms with biases before attention and feed-forward, one projection for queries, keys and
 * values, GELU by its tanh formula, the head tied to the embedding. Its matrices are stored with inputs as rows.
 */
export const gpt2: ModelFamily = {
  name: 'gpt2',
  modelTypes: ['gpt2'],
  plan(config, { contextTokensMax }) {
    const model = parseGpt2(config, contextTokensMax);
    return { shape: model.shape, build: (parts) => build(model, parts) };
  },
};

function parseGpt2(raw: Readonly<Record<string, unknown>>, contextTokensMax: number): Gpt2 {
  const config = parseConfig(configSchema, raw);
  const unsupported = (what: string) => new Error(`config.json: ${what} is not supported for GPT-2 models`);
  if (config.activation_function !== 'gelu_new') {
    throw unsupported(`activation_function "${config.activation_function}"`);
  }
  if (!config.scale_attn_weights || config.scale_attn_by_inverse_layer_idx) {
    throw unsupported('another scale of attention');
  }
  if (!config.tie_word_embeddings) throw unsupported('a head of its own');
  if (config.n_embd % config.n_head !== 0) throw unsupported(`${config.n_head} heads of ${config.n_embd}`);
  return {
    shape: {
      layers: config.n_layer,
      heads: config.n_head,
      kvHeads: config.n_head,
      headSize: config.n_embd / config.n_head,
      hiddenSize: config.n_embd,
      vocabSize: config.vocab_size,
      contextTokensMax: Math.min(config.n_positions, contextTokensMax),
    },
    feedForwardSize: config.n_inner ?? 4 * config.n_embd,
    epsilon: config.layer_norm_epsilon,
  };
}

function build(model: Gpt2, parts: BuildParts): void {
  const { graph, weights, tensors } = parts;
  const { layers, hiddenSize, vocabSize } = model.shape;
  // Some files name the body of the model, some do not.
  const root = tensors.has('transformer.wte.weight') ? 'transformer.' : '';
  const decoder = parts.layout.begin(graph, model.shape);
  const table = matrix(tensors, `${root}wte.weight`, { rows: vocabSize, columns: hiddenSize });
  let residual = graph.node('Add', [
    weights.embedding(graph, decoder.inputIds, table),
    graph.node('Gather', [positionTable(model, parts, `${root}wpe.weight`), decoder.positionIds]),
  ]);
  let hidden = graph.node('LayerNormalization', [residual, ...norm(model, parts, `${root}h.0.ln_1`)], {
    attributes: { axis: { int: -1 }, epsilon: { float: model.epsilon } },
  });
  for (let layer = 0; layer < layers; layer++) {
    const name = `${root}h.${layer}`;
    const attended = attention(model, parts, { decoder, layer, name, hidden });
    const middle = addAndNorm(model, parts, { value: attended, residual, norm: `${name}.ln_2` });
    const next = addAndNorm(model, parts, {
      value: feedForward(model, parts, { name, hidden: middle.hidden }),
      residual: middle.residual,
      norm: layer + 1 < layers ? `${root}h.${layer + 1}.ln_1` : `${root}ln_f`,
    });
    hidden = next.hidden;
    residual = next.residual;
  }
  decoder.finish(hidden, {
    project: (rows) => weights.linear(graph, rows, { matrix: table }),
    fullLogits: parts.fullLogits,
  });
}

function attention(
  { shape }: Gpt2,
  parts: BuildParts,
  at: { decoder: OpenDecoder; layer: number; name: string; hidden: string },
): string {
  const { hiddenSize } = shape;
  const size = { inputs: hiddenSize, outputs: 3 * hiddenSize };
  const projected = dense(parts, at.hidden, { name: `${at.name}.attn.c_attn`, ...size });
  const context = at.decoder.attention(at.layer, { together: () => projected, apart: null, rotate: null });
  return dense(parts, context, { name: `${at.name}.attn.c_proj`, inputs: hiddenSize, outputs: hiddenSize });
}

function feedForward(model: Gpt2, parts: BuildParts, at: { name: string; hidden: string }): string {
  const { hiddenSize } = model.shape;
  const size = model.feedForwardSize;
  const wide = dense(parts, at.hidden, { name: `${at.name}.mlp.c_fc`, inputs: hiddenSize, outputs: size });
  // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): `gelu_new`.
  const activated = parts.graph.node('FastGelu', [wide], { domain: MICROSOFT });
  return dense(parts, activated, { name: `${at.name}.mlp.c_proj`, inputs: size, outputs: hiddenSize });
}

/** x W + b, the matrix stored with inputs as rows. */
function dense(
  parts: BuildParts,
  x: string,
  { name, inputs, outputs }: { name: string; inputs: number; outputs: number },
): string {
  const weight = transposedMatrix(parts.tensors, `${name}.weight`, { rows: outputs, columns: inputs });
  const bias = vector(parts, `${name}.bias`, outputs);
  return parts.weights.linear(parts.graph, x, { matrix: weight, bias });
}

/** residual + value, and its layer norm. */
function addAndNorm(
  model: Gpt2,
  parts: BuildParts,
  at: { value: string; residual: string; norm: string },
): { hidden: string; residual: string } {
  const hidden = `${at.norm}.output`;
  const residual = `${at.norm}.residual`;
  parts.graph.node('SkipLayerNormalization', [at.value, at.residual, ...norm(model, parts, at.norm)], {
    domain: MICROSOFT,
    outputs: [hidden, '', '', residual],
    attributes: { epsilon: { float: model.epsilon } },
  });
  return { hidden, residual };
}

function norm({ shape }: Gpt2, parts: BuildParts, name: string): [scale: string, shift: string] {
  return [vector(parts, `${name}.weight`, shape.hiddenSize), vector(parts, `${name}.bias`, shape.hiddenSize)];
}

/** [contextTokensMax, hiddenSize]: the first rows of what was learned. */
function positionTable({ shape }: Gpt2, { graph, tensors }: BuildParts, name: string): string {
  const rows = shape.contextTokensMax;
  return graph.initializer({
    name,
    type: 'float32',
    dims: [rows, shape.hiddenSize],
    async *chunks() {
      yield bytesOf(await tensors.readRows(name, { from: 0, to: rows }));
    },
  });
}
