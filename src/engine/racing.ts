/**
 * The decisions of a race, on plain data: when candidates are judged, who goes on, who is committed and how likely that
 * was. Dropping partial completions by their score, so that the rows go to better ones, is the idea of Sun et al., "Fast
 * Best-of-N Decoding via Speculative Rejection" (NeurIPS 2024).
 */
import type { Contender, Judge, RaceCommit, RacePlan, Verdict } from './request.ts';

/** What is wrong with a plan that no caller should make, or null. */
export function planProblem(plan: RacePlan): string | null {
  const { candidates, checkpoints, commitTokens, leadToCommit, exploration } = plan;
  const { probability, temperature } = exploration;
  if (!isWhole(candidates, 1)) return 'candidates is not a positive integer';
  if (commitTokens !== null && !isWhole(commitTokens, 0)) return 'commitTokens is not a count';
  if (!(leadToCommit >= 0)) return 'leadToCommit is not a number from 0';
  if (!(probability >= 0 && probability <= 1)) return 'the probability of exploring is not in 0..1';
  if (!(temperature > 0 && temperature < Number.POSITIVE_INFINITY)) {
    return 'the temperature of exploring is not a positive number';
  }
  let before = 0;
  for (const { tokens, keep } of checkpoints) {
    if (!isWhole(tokens, before + 1)) return 'the tokens of the checkpoints are not ascending counts';
    if (!isWhole(keep, 1)) return 'a checkpoint keeps nobody';
    before = tokens;
  }
  return null;
}

function isWhole(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least;
}

/** The plan as it can run in so many slots. */
export function fitPlan(plan: RacePlan, slots: number): RacePlan {
  // Before the first token all candidates are alike: of those that are committed then, one is enough.
  const candidates = plan.commitTokens === 0 ? 1 : Math.min(plan.candidates, slots);
  return candidates === plan.candidates ? plan : { ...plan, candidates };
}

/** Where a race stands that has committed nobody. */
export interface RaceMoment {
  /** Tokens of each candidate that is alive, and whether it has ended; those that still write have the same number. */
  readonly alive: readonly Pick<Contender, 'tokens' | 'isEnded'>[];
  /** Tokens at which the candidates were last judged; 0 = never. */
  readonly judgedAt: number;
}

/** How many may go on if the candidates have to be judged now; 1: one is committed. Null: they write on. */
export function keepNow(plan: RacePlan, { alive, judgedAt }: RaceMoment): number | null {
  if (alive.length === 1 || alive.every(({ isEnded }) => isEnded)) return 1;
  const tokens = tokensOf(alive);
  if (plan.commitTokens !== null && tokens >= plan.commitTokens) return 1;
  const checkpoint = plan.checkpoints.findLast((one) => one.tokens <= tokens && one.tokens > judgedAt);
  return checkpoint?.keep ?? null;
}

/** Tokens of the longest. */
export function tokensOf(candidates: readonly Pick<Contender, 'tokens'>[]): number {
  return candidates.reduce((most, { tokens }) => Math.max(most, tokens), 0);
}

/** Verdicts to go by, or what is wrong with the judge: a bug above, which must not take other requests along. */
export function askJudge(
  judge: Judge,
  contenders: readonly Contender[],
):
  | { readonly ok: true; readonly verdicts: readonly Verdict[] }
  | { readonly ok: false; readonly message: string } {
  try {
    const verdicts = judge(contenders);
    if (verdicts.length !== contenders.length) {
      return { ok: false, message: 'the judge did not return a verdict for each candidate' };
    }
    if (!verdicts.every(({ score }) => Number.isFinite(score))) {
      return { ok: false, message: 'the judge returned a score that is not finite' };
    }
    return { ok: true, verdicts };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `the judge failed: ${reason}` };
  }
}

export interface Judging {
  readonly contenders: readonly Contender[];
  /** One for each contender, in the same order. */
  readonly verdicts: readonly Verdict[];
  /** How many may go on; 1 commits. */
  readonly keep: number;
  /** In [0, 1): decides whether the commit explores, and whom it then draws. */
  readonly uniform: number;
}

export interface RaceDecision {
  /** Indexes of those that go on: the best first, or the committed one and its runner-up. Empty: all were filtered. */
  readonly kept: readonly number[];
  /** Null: nobody yet, or nobody at all. */
  readonly commit: RaceCommit | null;
  /** Index of the one that is written to its end beside the committed one. */
  readonly runnerUp: number | null;
}

/**
 * Drops the filtered ones and all but the best `keep`. Where that leaves one, or only ones that have ended, or where the
 * best leads by enough, one of all that are not filtered is committed.
 */
export function decide(plan: RacePlan, { contenders, verdicts, keep, uniform }: Judging): RaceDecision {
  const ranking = rank(contenders, verdicts);
  if (ranking.length === 0) return { kept: [], commit: null, runnerUp: null };
  const kept = ranking.slice(0, keep);
  const second = ranking[1];
  const leads = second !== undefined && ranking[0]!.score - second.score >= plan.leadToCommit;
  if (kept.length > 1 && !leads && kept.some(({ contender }) => !contender.isEnded)) {
    return { kept: kept.map(({ contender }) => contender.index), commit: null, runnerUp: null };
  }
  const { place, isExplored, propensity } = draw(
    ranking.map(({ score }) => score),
    plan.exploration,
    uniform,
  );
  const committed = ranking[place]!.contender;
  const { index } = committed;
  const others = plan.runnerUp ? ranking.map(({ contender }) => contender) : [];
  const runnerUp =
    others.find((other) => other.index !== index && other.text !== committed.text)?.index ?? null;
  return {
    kept: runnerUp === null ? [index] : [index, runnerUp],
    commit: { index, tokens: tokensOf(contenders), isExplored, propensity },
    runnerUp,
  };
}

interface Ranked {
  readonly contender: Contender;
  readonly score: number;
}

/** Those that may be shown, best first; of equal ones the lower index. */
function rank(contenders: readonly Contender[], verdicts: readonly Verdict[]): readonly Ranked[] {
  return contenders
    .map((contender, place) => ({ contender, ...verdicts[place]! }))
    .filter(({ filterReason }) => filterReason === null)
    .sort((a, b) => b.score - a.score || a.contender.index - b.contender.index);
}

/**
 * The first, or with `probability` one drawn from the softmax: epsilon-greedy with a softmax in place of the uniform draw.
 * One number decides both, since below `probability` it is uniform again.
 *
 * @param scores best first, at least one
 */
function draw(
  scores: readonly number[],
  { probability, temperature }: RacePlan['exploration'],
  uniform: number,
): { readonly place: number; readonly isExplored: boolean; readonly propensity: number } {
  const weights = scores.map((score) => Math.exp((score - scores[0]!) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const isExplored = uniform < probability;
  let place = 0;
  if (isExplored) {
    const target = (uniform / probability) * total;
    let reached = 0;
    for (let next = 0; next < weights.length && reached <= target; next++) {
      reached += weights[next]!;
      // Never one without weight, also where rounding lifts the target to the whole sum.
      if (weights[next]! > 0) place = next;
    }
  }
  const greedy = place === 0 ? 1 - probability : 0;
  return { place, isExplored, propensity: greedy + (probability * weights[place]!) / total };
}
