import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import { createUniform } from './random.ts';
import { llamaConfig, type TinyShape, toCheckpoint } from './tiny-checkpoint.ts';
import { tinyTokens } from './tiny-text.ts';

const shape: TinyShape = {
  layers: 1,
  heads: 1,
  kvHeads: 1,
  headSize: 32,
  hiddenSize: 64,
  feedForwardSize: 32,
};
/** Two codes never agree in more than (64 + 28) / 2 places: logits are 64 for the next token, <= 28 for others. */
const OVERLAP_MAX = 28;
const CODE_SEED = 7;

const code = (text: string) => text.charCodeAt(0);
const isBetween = (byte: number, first: string, last: string) => byte >= code(first) && byte <= code(last);

/**
 * The token that follows `id`, whatever came before: a -> b -> ... -> z -> end (or, when `endless`, space -> a);
 * space -> a; 0 -> 1 -> ... -> 9 -> 0 without end; colon -> 0; anything else -> a. A merged token counts as its
 * last byte.
 */
export function countingNext(id: number, endless: boolean): number {
  const byte = tinyTokens.lastByte(id);
  if (byte === null) return code('a');
  if (byte === code('z')) return endless ? code(' ') : tinyTokens.imEnd;
  if (byte === code('9') || byte === code(':')) return code('0');
  if (isBetween(byte, 'a', 'y') || isBetween(byte, '0', '8')) return byte + 1;
  return code('a');
}

/**
 * A Llama whose layers add nothing: a token's embedding is the code of the token that follows it, and the head
 * compares with all codes. Its weights survive 8-bit storage exactly.
 */
export function countingCheckpoint({ endless }: { endless: boolean }): Checkpoint {
  const codes = makeCodes();
  const vocabSize = tinyTokens.count;
  const table = (rowOf: (id: number) => number) => {
    const values = new Float32Array(vocabSize * shape.hiddenSize);
    for (let id = 0; id < vocabSize; id++) values.set(codes[rowOf(id)]!, id * shape.hiddenSize);
    return values;
  };
  return toCheckpoint(llamaConfig(shape, { tied: false }), (name, size) => {
    if (name === 'model.embed_tokens.weight') return table((id) => countingNext(id, endless));
    if (name === 'lm_head.weight') return table((id) => id);
    return new Float32Array(size).fill(name.endsWith('norm.weight') ? 1 : 0);
  });
}

/** One vector of +1 and -1 for each token, by rejection; the seed is known to end quickly. */
function makeCodes(): readonly Float32Array[] {
  const uniform = createUniform(CODE_SEED);
  const codes: Float32Array[] = [];
  for (let tries = 0; codes.length < tinyTokens.count; tries++) {
    if (tries > 100_000) throw new Error('No set of codes found');
    const candidate = Float32Array.from({ length: shape.hiddenSize }, () => (uniform() < 0.5 ? -1 : 1));
    const fits = codes.every((other) => dot(candidate, other) <= OVERLAP_MAX);
    if (fits) codes.push(candidate);
  }
  return codes;
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, index) => sum + value * right[index]!, 0);
}
