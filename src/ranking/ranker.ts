import type { Features } from './features.ts';

/** Features -> a score; higher is better, comparable among the candidates of one request. A learned model fits in here. */
export interface Ranker {
  /** Name and version, as stored with what it decided. */
  readonly version: string;
  /** Finite for finite features. */
  score(features: Features): number;
}

export function createLinearRanker(version: string, weights: Features): Ranker {
  const entries = Object.entries(weights) as [keyof Features, number][];
  return {
    version,
    score: (features) => entries.reduce((sum, [name, weight]) => sum + weight * features[name], 0),
  };
}
