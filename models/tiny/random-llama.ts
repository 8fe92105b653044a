import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import { createGaussian } from './random.ts';
import { llamaConfig, type TinyShape, toCheckpoint } from './tiny-checkpoint.ts';

const shape: TinyShape = {
  layers: 3,
  heads: 4,
  kvHeads: 2,
  headSize: 32,
  hiddenSize: 128,
  feedForwardSize: 96,
};

/**
 * Standard deviations, chosen so that attention is peaked and outweighs the token's own embedding: what comes
 * next depends on the whole past, and a wrong cache changes it.
 */
const spread = (name: string) => {
  if (name.includes('embed_tokens')) return 0.05;
  if (name.includes('q_proj') || name.includes('k_proj')) return 0.18;
  return 0.12;
};
/** Makes the distribution neither flat nor certain. */
const FINAL_NORM = 6;

/** Random weights from a seed; tied head, grouped-query heads. Its text is noise, often not even valid UTF-8. */
export function randomCheckpoint(seed: number): Checkpoint {
  const gaussian = createGaussian(seed);
  return toCheckpoint(llamaConfig(shape, { tied: true }), (name, size) => {
    if (name === 'model.norm.weight') return new Float32Array(size).fill(FINAL_NORM);
    if (name.endsWith('norm.weight')) return Float32Array.from({ length: size }, () => 1 + 0.1 * gaussian());
    return Float32Array.from({ length: size }, () => spread(name) * gaussian());
  });
}
