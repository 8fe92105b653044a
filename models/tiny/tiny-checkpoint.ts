import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import { type MemoryTensor, tensorsInMemory } from '../checkpoints/memory.ts';
import { tinyText, tinyTokens } from './tiny-text.ts';

export interface TinyShape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  /** A multiple of 32, as the 8-bit format wants it. */
  readonly hiddenSize: number;
  readonly feedForwardSize: number;
}

const CONTEXT_TOKENS_MAX = 8192;

export function llamaConfig(shape: TinyShape, { tied }: { tied: boolean }) {
  return {
    model_type: 'llama',
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.feedForwardSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headSize,
    vocab_size: tinyTokens.count,
    max_position_embeddings: CONTEXT_TOKENS_MAX,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: tied,
  } as const;
}

/** Asks `fill` for the values of every tensor of the configuration, in a fixed order. */
export function toCheckpoint(
  config: ReturnType<typeof llamaConfig>,
  fill: (name: string, size: number) => Float32Array,
): Checkpoint {
  const tensors = new Map<string, MemoryTensor>();
  for (const [name, dims] of tensorDims(config)) {
    const size = dims.reduce((product, length) => product * length, 1);
    tensors.set(name, { dims, values: fill(name, size) });
  }
  return {
    config,
    tensors: tensorsInMemory(tensors),
    text: tinyText,
    async [Symbol.asyncDispose]() {},
  };
}

function* tensorDims(config: ReturnType<typeof llamaConfig>): Generator<[string, number[]]> {
  const hidden = config.hidden_size;
  const width = config.num_attention_heads * config.head_dim;
  const kvWidth = config.num_key_value_heads * config.head_dim;
  yield ['model.embed_tokens.weight', [config.vocab_size, hidden]];
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const name = `model.layers.${layer}`;
    yield [`${name}.input_layernorm.weight`, [hidden]];
    yield [`${name}.self_attn.q_proj.weight`, [width, hidden]];
    yield [`${name}.self_attn.k_proj.weight`, [kvWidth, hidden]];
    yield [`${name}.self_attn.v_proj.weight`, [kvWidth, hidden]];
    yield [`${name}.self_attn.o_proj.weight`, [hidden, width]];
    yield [`${name}.post_attention_layernorm.weight`, [hidden]];
    yield [`${name}.mlp.gate_proj.weight`, [config.intermediate_size, hidden]];
    yield [`${name}.mlp.up_proj.weight`, [config.intermediate_size, hidden]];
    yield [`${name}.mlp.down_proj.weight`, [hidden, config.intermediate_size]];
  }
  yield ['model.norm.weight', [hidden]];
  if (!config.tie_word_embeddings) yield ['lm_head.weight', [config.vocab_size, hidden]];
}
