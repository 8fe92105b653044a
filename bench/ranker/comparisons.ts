/** Judged replies -> comparisons of their features. */
import { type FeatureName, type Features, featureRanges } from '../../src/ranking/features.ts';
import { createJudge } from '../../src/ranking/judge.ts';
import type { Comparison } from './fit.ts';
import type { Measured } from './measure.ts';

export const featureNames = Object.keys(featureRanges) as readonly FeatureName[];

export const toVector = (features: Readonly<Partial<Features>>): readonly number[] =>
  featureNames.map((name) => features[name] ?? 0);

/** Mean over the replies that were judged together. */
function vectorOf({ replies }: Measured): readonly number[] {
  const vectors = replies.map(({ context, contender }) =>
    toVector(createJudge(context)([contender])[0]!.features as Features),
  );
  return featureNames.map((_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0) / vectors.length);
}

/** All pairs of a group that were judged differently. */
export function comparisonsOf(group: readonly Measured[]): readonly Comparison[] {
  const rated = group.map((one) => ({ value: one.value, vector: vectorOf(one) }));
  const differences = rated.flatMap((better) =>
    rated
      .filter((worse) => better.value > worse.value)
      .map((worse) => better.vector.map((value, i) => value - worse.vector[i]!)),
  );
  return differences.map((difference) => ({ difference, weight: 1 / differences.length }));
}
