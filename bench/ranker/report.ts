/** Fits the weights, and says how often they agree with people. */
import { uniformAt } from '../../src/engine/uniform.ts';
import type { FeatureName, Features } from '../../src/ranking/features.ts';
import { createJudge } from '../../src/ranking/judge.ts';
import type { Recording } from '../race/record.ts';
import { contenderAt } from '../race/replay.ts';
import { comparisonsOf, featureNames, toVector } from './comparisons.ts';
import { accuracyOf, type Comparison, dot, fitPairwise, lossOf, standardDeviation } from './fit.ts';
import type { Measured } from './measure.ts';
import type { Judged, Source } from './preferences.ts';

/** What stands where the data say little: judgement, in the units of the fit. */
const prior: Readonly<Partial<Features>> = {
  logLikelihood: 0.5,
  plainLikelihood: -0.5,
  repetition: -3,
  ownTurnOverlap: -3,
  userOverlap: -2,
  topicOverlap: 1,
  shortness: -2,
  length: -0.2,
  questionAgain: -0.5,
  clutter: -1,
  assistantVoice: -1,
};
/** Hardly any judged reply has them, or none: judgement alone. */
const held: ReadonlySet<FeatureName> = new Set([
  'repetition',
  'userOverlap',
  'length',
  'clutter',
  'assistantVoice',
  'roleLeak',
]);
const heldStrength = 1e9;
const strengths = [1, 3, 10, 30, 100, 300, 1000];
const trained: readonly Source[] = ['ieval', 'conture', 'apt'];
const tested: readonly Source[] = ['ieval', 'conture', 'apt', 'accentor-sgd'];
/** Candidates of the default model after so many tokens, for the stability of the features. */
const commitTokens = 14;

type Sets = (source: Source, split: Judged['split']) => readonly Comparison[][];

export function makeReport(groups: readonly (readonly Measured[])[], recordings: readonly Recording[]) {
  const sets: Sets = (source, split) =>
    groups
      .filter(([first]) => first?.source === source && first.split === split)
      .map((group) => [...comparisonsOf(group)]);
  const candidates = recordings.map((recording) => vectorsAt(recording, Number.POSITIVE_INFINITY));
  const beginnings = recordings.map((recording) => vectorsAt(recording, commitTokens));
  const all = new Set(featureNames);
  const { strength, fitted } = chooseFit(sets, all);
  const weights = transfer(fitted, sets, candidates);
  return {
    strength,
    candidates: recordings.length,
    weights: featureNames.map((name, i) => ({
      feature: name,
      fitted: round(fitted[i]!, 2),
      weight: round(weights[i]!, 2),
      sdAmongCandidates: round(spread(candidates.map((set) => set.map((vector) => vector[i]!))), 3),
      correlationOfBeginning: round(correlation(column(beginnings, i), column(candidates, i)), 2),
    })),
    accuracy: accuracies(sets, { fitted, weights, strength }),
  };
}

/** The fit on train whose loss on valid, mean over the sources, is the least. */
function chooseFit(sets: Sets, features: ReadonlySet<FeatureName>) {
  const fits = strengths.map((strength) => {
    const fitted = fitOn(sets, features, strength);
    const losses = trained.map((source) => lossOf(sets(source, 'valid').flat(), fitted));
    return { strength, fitted, loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length };
  });
  for (const { strength, loss } of fits)
    console.log(`strength ${strength}: loss ${loss.toFixed(4)} on valid`);
  return fits.reduce((best, one) => (one.loss < best.loss ? one : best));
}

/** Every source has the same weight in it. Features that are not among `features` weigh nothing. */
function fitOn(sets: Sets, features: ReadonlySet<FeatureName>, strength: number): readonly number[] {
  const comparisons = trained.flatMap((source) => {
    const groups = sets(source, 'train');
    return groups.flat().map(({ difference, weight }) => ({
      difference: difference.map((value, i) => (features.has(featureNames[i]!) ? value : 0)),
      weight: (100 * weight) / groups.length,
    }));
  });
  const scales = featureNames.map(
    (_, i) => standardDeviation(comparisons.map(({ difference }) => difference[i]!)) || 1,
  );
  const centre = toVector(prior).map((value, i) => (features.has(featureNames[i]!) ? value : 0));
  const strengthOf = (name: FeatureName) => (held.has(name) ? heldStrength : strength);
  return fitPairwise(comparisons, { prior: centre, strengths: featureNames.map(strengthOf), scales });
}

/**
 * To candidates of one model. They differ in likelihood far less than replies of different bots do. Were a standard deviation of it
 * among candidates to count as much as one among bots (ieval), its weight would grow by the ratio of the two; since nobody judged such
 * candidates yet, the geometric mean of that and the weight as it was fitted is taken. What is only known at the end of a text weighs
 * half, for races are decided before. Then all is scaled to one standard deviation of the score among the candidates of a request.
 */
function transfer(
  fitted: readonly number[],
  sets: Sets,
  candidates: readonly (readonly (readonly number[])[])[],
): readonly number[] {
  const likelihood = featureNames.indexOf('logLikelihood');
  const amongBots = standardDeviation(
    sets('ieval', 'train')
      .flat()
      .map(({ difference }) => difference[likelihood]!),
  );
  // A difference of two has the variance of both.
  const ratio = amongBots / Math.SQRT2 / spread(column(candidates, likelihood));
  const factors: Readonly<Partial<Record<FeatureName, number>>> = {
    logLikelihood: Math.sqrt(ratio),
    questionAgain: 0.5,
  };
  const weights = fitted.map((weight, i) => weight * (factors[featureNames[i]!] ?? 1));
  const unit = spread(candidates.map((set) => set.map((vector) => dot(weights, vector))));
  return weights.map((weight) => weight / unit);
}

function accuracies(
  sets: Sets,
  { fitted, weights, strength }: { fitted: readonly number[]; weights: readonly number[]; strength: number },
) {
  const only = (values: Readonly<Partial<Features>>) => toVector(values);
  const rankers: [string, readonly number[]][] = [
    ['likelihood alone', only({ logLikelihood: 1 })],
    ['mutual information', only({ logLikelihood: 1, plainLikelihood: -1 })],
    ['fitted', fitted],
    ['ranker', weights],
    ...featureNames.map((name): [string, readonly number[]] => [
      `fitted without ${name}`,
      fitOn(sets, new Set(featureNames.filter((other) => other !== name)), strength),
    ]),
  ];
  return rankers.map(([name, vector]) => ({
    ranker: name,
    ...Object.fromEntries(tested.map((source) => [source, describe(sets(source, 'test'), vector)])),
  }));
}

/** Accuracy with a 95 % interval by bootstrap over groups. */
function describe(groups: readonly (readonly Comparison[])[], vector: readonly number[]): string {
  const draws = Array.from({ length: 1000 }, (_, draw) => {
    const sample = groups.flatMap(
      (_group, place) => groups[Math.floor(uniformAt(1, draw, place) * groups.length)]!,
    );
    return accuracyOf(sample, vector);
  }).sort((a, b) => a - b);
  const accuracy = accuracyOf(groups.flat(), vector);
  return `${accuracy.toFixed(3)} (${draws[25]!.toFixed(2)}-${draws[974]!.toFixed(2)})`;
}

function vectorsAt({ rank, candidates }: Recording, tokens: number): readonly (readonly number[])[] {
  return createJudge(rank)(candidates.map((one) => contenderAt(one, tokens))).map(({ features }) =>
    toVector(features as Features),
  );
}

const column = (sets: readonly (readonly (readonly number[])[])[], i: number) =>
  sets.map((set) => set.map((vector) => vector[i]!));

/** Standard deviation within sets. */
function spread(sets: readonly (readonly number[])[]): number {
  return standardDeviation(sets.flatMap(centred));
}

/** Of two values of the same candidates, within sets; NaN where one never varies. */
function correlation(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  const [x, y] = [a.flatMap(centred), b.flatMap(centred)];
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));
