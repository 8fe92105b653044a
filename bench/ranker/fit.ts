/** Weights from comparisons: which of two replies to the same people preferred. */

/** Feature values of the preferred one minus those of the other, in a fixed order of features. */
export interface Comparison {
  readonly difference: readonly number[];
  /** Comparisons of one group share a weight of 1. */
  readonly weight: number;
}

export interface FitOptions {
  /** Weights that stand where the data say nothing. */
  readonly prior: readonly number[];
  /** How much a deviation of each from the prior costs; in comparisons. */
  readonly strengths: readonly number[];
  /** Standard deviation of each feature: makes the cost independent of units. */
  readonly scales: readonly number[];
}

const rounds = 3000;
const rate = 1;

/**
 * Pairwise logistic regression (Bradley-Terry with features) with a Gaussian prior, by gradient descent; the problem is convex.
 *
 * @returns a weight for each feature
 */
export function fitPairwise(
  comparisons: readonly Comparison[],
  { prior, strengths, scales }: FitOptions,
): readonly number[] {
  const total = comparisons.reduce((sum, { weight }) => sum + weight, 0);
  // In units of a standard deviation, so that one rate suits all.
  const scaled = comparisons.map(({ difference, weight }) => ({
    weight,
    difference: difference.map((value, i) => value / scales[i]!),
  }));
  const centre = prior.map((value, i) => value * scales[i]!);
  const weights = [...centre];
  for (let round = 0; round < rounds; round++) {
    const gradient = weights.map((weight, i) => (strengths[i]! * (weight - centre[i]!)) / total);
    for (const { difference, weight } of scaled) {
      const wrong = weight / total / (1 + Math.exp(dot(weights, difference)));
      for (let i = 0; i < gradient.length; i++) gradient[i]! -= wrong * difference[i]!;
    }
    for (let i = 0; i < weights.length; i++)
      weights[i]! -= (rate * gradient[i]!) / (1 + strengths[i]! / total);
  }
  return weights.map((value, i) => value / scales[i]!);
}

/** Share of the comparisons, by weight, in which the preferred one scores higher; ties count half. */
export function accuracyOf(comparisons: readonly Comparison[], weights: readonly number[]): number {
  let right = 0;
  let total = 0;
  for (const { difference, weight } of comparisons) {
    const lead = dot(weights, difference);
    right += weight * (lead > 0 ? 1 : lead === 0 ? 0.5 : 0);
    total += weight;
  }
  return right / total;
}

/** Mean negative log-probability of the preferences, in nats. */
export function lossOf(comparisons: readonly Comparison[], weights: readonly number[]): number {
  let loss = 0;
  let total = 0;
  for (const { difference, weight } of comparisons) {
    loss += weight * Math.log1p(Math.exp(-dot(weights, difference)));
    total += weight;
  }
  return loss / total;
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

export function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
