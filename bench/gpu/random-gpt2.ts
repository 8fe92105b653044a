/** A GPT-2 of any size with random weights, made row by row when they are read: for measurements of speed alone. */
import type { Checkpoint } from '../../models/checkpoints/checkpoint.ts';
import { tinyText } from '../../models/tiny/tiny-text.ts';

export interface Gpt2Size {
  readonly layers: number;
  readonly heads: number;
  readonly hiddenSize: number;
}

export const gpt2Large: Gpt2Size = { layers: 36, heads: 20, hiddenSize: 1280 };

const vocabSize = 50_257;
const positions = 1024;
/** Standard deviation of the published initialisation. */
const spread = 0.02;

export function randomGpt2({ layers, heads, hiddenSize }: Gpt2Size): Checkpoint {
  const dims = new Map<string, readonly number[]>();
  const norm = (name: string) => {
    dims.set(`${name}.weight`, [hiddenSize]);
    dims.set(`${name}.bias`, [hiddenSize]);
  };
  const dense = (name: string, inputs: number, outputs: number) => {
    dims.set(`${name}.weight`, [inputs, outputs]);
    dims.set(`${name}.bias`, [outputs]);
  };
  dims.set('wte.weight', [vocabSize, hiddenSize]);
  dims.set('wpe.weight', [positions, hiddenSize]);
  for (let layer = 0; layer < layers; layer++) {
    norm(`h.${layer}.ln_1`);
    dense(`h.${layer}.attn.c_attn`, hiddenSize, 3 * hiddenSize);
    dense(`h.${layer}.attn.c_proj`, hiddenSize, hiddenSize);
    norm(`h.${layer}.ln_2`);
    dense(`h.${layer}.mlp.c_fc`, hiddenSize, 4 * hiddenSize);
    dense(`h.${layer}.mlp.c_proj`, 4 * hiddenSize, hiddenSize);
  }
  norm('ln_f');
  return {
    config: {
      model_type: 'gpt2',
      n_embd: hiddenSize,
      n_layer: layers,
      n_head: heads,
      n_positions: positions,
      vocab_size: vocabSize,
    },
    text: tinyText,
    tensors: {
      has: (name) => dims.has(name),
      dims: (name) => dims.get(name) ?? [],
      async readRows(name, { from, to }) {
        const [, width = 1] = dims.get(name) ?? [];
        return randomRow({ seed: seedOf(name) + from * width, length: (to - from) * width });
      },
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Uniform numbers of the wanted spread, by xorshift: a cheap generator for numbers that only have to be there. */
function randomRow({ seed, length }: { seed: number; length: number }): Float32Array {
  const values = new Float32Array(length);
  let state = seed | 1;
  const scale = (spread * Math.sqrt(3)) / 2 ** 31;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state * scale;
  }
  return values;
}

function seedOf(name: string): number {
  return [...name].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
}
