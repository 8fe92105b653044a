/** The decisions of a race, as tables: when candidates are judged, who goes on, who is committed and how likely that was. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  askJudge,
  decide,
  fitPlan,
  type Judging,
  keepNow,
  planProblem,
  tokensOf,
} from '../../../src/engine/racing.ts';
import type { Contender, RacePlan, Verdict } from '../../../src/engine/request.ts';
import { racePlan } from '../../support/engine-drive.ts';

/** A contender as short text: `0:abc` writes and has this text, `0:abc.` has ended. */
function toContender(short: string): Contender {
  const [index, text = ''] = short.split(':');
  const isEnded = text.endsWith('.');
  return { index: Number(index), text, tokens: text.length, logProb: -1, isEnded };
}

/** A number is a score, a text the reason why it is filtered. */
const toVerdict = (short: number | string): Verdict =>
  typeof short === 'string'
    ? { score: 99, features: {}, filterReason: short }
    : { score: short, features: {}, filterReason: null };

interface Case {
  readonly alive: readonly string[];
  readonly verdicts: readonly (number | string)[];
  readonly keep: number;
  readonly uniform?: number;
  readonly plan?: Partial<RacePlan>;
}

function decideCase({ alive, verdicts, keep, uniform = 0.5, plan = {} }: Case) {
  const judging: Judging = {
    contenders: alive.map(toContender),
    verdicts: verdicts.map(toVerdict),
    keep,
    uniform,
  };
  return decide({ ...racePlan, ...plan }, judging);
}

describe('who goes on', () => {
  test.each([
    { name: 'the best ones do', verdicts: [1, 4, 2, 3], keep: 2, kept: [1, 3] },
    { name: 'of equal ones the lower indexes do', verdicts: [1, 1, 1, 1], keep: 2, kept: [0, 1] },
    { name: 'filtered ones do not, however good', verdicts: [1, 'leak', 2, 'loop'], keep: 3, kept: [2, 0] },
    { name: 'all do where as many may', verdicts: [1, 2, 3, 4], keep: 4, kept: [3, 2, 1, 0] },
    { name: 'all do where more may', verdicts: [1, 2, 3, 4], keep: 9, kept: [3, 2, 1, 0] },
    { name: 'nobody does where all are filtered', verdicts: ['a', 'b', 'c', 'd'], keep: 2, kept: [] },
  ])('$name', ({ verdicts, keep, kept }) => {
    const alive = ['0:ab', '1:cd', '2:ef', '3:gh'];
    expect(decideCase({ alive, verdicts, keep })).toEqual({ kept, commit: null, runnerUp: null });
  });
});

describe('a commit', () => {
  test.each([
    { name: 'comes where one may go on', alive: ['0:ab', '1:cd'], verdicts: [1, 2], keep: 1, index: 1 },
    { name: 'comes where one is left', alive: ['0:ab', '1:cd'], verdicts: ['x', 2], keep: 2, index: 1 },
    {
      name: 'comes where all that go on have ended',
      alive: ['0:ab.', '1:cd.', '2:efg'],
      verdicts: [2, 3, 1],
      keep: 2,
      index: 1,
    },
    {
      name: 'comes where the best leads by enough',
      alive: ['0:ab', '1:cd'],
      verdicts: [1, 2.5],
      keep: 2,
      plan: { leadToCommit: 1.5 },
      index: 1,
    },
    {
      name: 'does not come where it leads by less',
      alive: ['0:ab', '1:cd'],
      verdicts: [1, 2.4],
      keep: 2,
      plan: { leadToCommit: 1.5 },
      index: null,
    },
    {
      name: 'does not come where one that goes on writes',
      alive: ['0:ab.', '1:cd.', '2:efg'],
      verdicts: [1, 3, 2],
      keep: 2,
      index: null,
    },
    { name: 'is of nobody where all are filtered', alive: ['0:ab'], verdicts: ['x'], keep: 1, index: null },
    { name: 'goes to the lower of equals', alive: ['3:ab', '7:cd'], verdicts: [1, 1], keep: 1, index: 3 },
  ])('$name', ({ index, ...rest }) => {
    expect(decideCase(rest).commit?.index ?? null).toBe(index);
  });

  test('says how far the race was, and is certain without exploration', () => {
    expect(decideCase({ alive: ['0:abc.', '1:cdefg'], verdicts: [2, 1], keep: 1 }).commit).toEqual({
      index: 0,
      tokens: 5,
      isExplored: false,
      propensity: 1,
    });
  });
});

describe('the runner-up', () => {
  test.each([
    { name: 'is the second', alive: ['0:ab', '1:cd', '2:ef'], verdicts: [1, 3, 2], runnerUp: 2 },
    { name: 'has another text', alive: ['0:ab', '1:cd', '2:cd'], verdicts: [1, 3, 2], runnerUp: 0 },
    { name: 'may have ended', alive: ['0:ab', '1:cd', '2:e.'], verdicts: [1, 3, 2], runnerUp: 2 },
    { name: 'is not a filtered one', alive: ['0:ab', '1:cd', '2:ef'], verdicts: [1, 3, 'x'], runnerUp: 0 },
    {
      name: 'is missing where all wrote the same',
      alive: ['0:ab', '1:ab'],
      verdicts: [1, 3],
      runnerUp: null,
    },
    { name: 'is missing where there was one', alive: ['0:ab'], verdicts: [1], runnerUp: null },
  ])('$name', ({ runnerUp, ...rest }) => {
    const decision = decideCase({ ...rest, keep: 1 });
    expect(decision.runnerUp).toBe(runnerUp);
    const { index } = decision.commit!;
    expect(decision.kept).toEqual(runnerUp === null ? [index] : [index, runnerUp]);
  });

  test('is missing where the plan wants none', () => {
    const plan = { runnerUp: false };
    const decision = decideCase({ alive: ['0:ab', '1:cd'], verdicts: [1, 2], keep: 1, plan });
    expect(decision).toMatchObject({ runnerUp: null, kept: [1] });
  });

  test('is the best where exploration drew another one', () => {
    const plan = { exploration: { probability: 1, temperature: 1 } };
    const decision = decideCase({
      alive: ['0:ab', '1:cd'],
      verdicts: [0, 0.5],
      keep: 1,
      uniform: 0.99,
      plan,
    });
    expect(decision).toMatchObject({ commit: { index: 0 }, runnerUp: 1 });
  });
});

describe('exploration', () => {
  const alive = ['0:ab', '1:cd', '2:ef'];
  /** Weights 1, 1/2 and 1/4. */
  const verdicts = [-Math.log(2), 0, -Math.log(4)];
  const [best, second, third] = [4 / 7, 2 / 7, 1 / 7];
  const explore = (uniform: number, probability = 0.5, temperature = 1) =>
    decideCase({ alive, verdicts, keep: 1, uniform, plan: { exploration: { probability, temperature } } })
      .commit;

  test.each([
    { uniform: 0, index: 1, isExplored: true, propensity: 0.5 + 0.5 * best },
    { uniform: 0.5 * best - 1e-9, index: 1, isExplored: true, propensity: 0.5 + 0.5 * best },
    { uniform: 0.5 * best + 1e-9, index: 0, isExplored: true, propensity: 0.5 * second },
    { uniform: 0.5 * (best + second) + 1e-9, index: 2, isExplored: true, propensity: 0.5 * third },
    { uniform: 0.5 - 1e-9, index: 2, isExplored: true, propensity: 0.5 * third },
    { uniform: 0.5, index: 1, isExplored: false, propensity: 0.5 + 0.5 * best },
    { uniform: 1 - 1e-9, index: 1, isExplored: false, propensity: 0.5 + 0.5 * best },
  ])('with $uniform commits $index', ({ uniform, index, isExplored, propensity }) => {
    const commit = explore(uniform)!;
    expect(commit).toMatchObject({ index, isExplored });
    expect(commit.propensity).toBeCloseTo(propensity, 12);
  });

  test('that never happens leaves the best; that always happens is a softmax', () => {
    expect(explore(0, 0)).toMatchObject({ index: 1, isExplored: false, propensity: 1 });
    expect(explore(0.99, 1)).toMatchObject({ index: 2, isExplored: true });
    expect(explore(0.99, 1)?.propensity).toBeCloseTo(third, 12);
  });

  test('at a low temperature draws the best, at a high one any', () => {
    expect(explore(0.999, 1, 0.01)).toMatchObject({ index: 1 });
    expect(explore(0.999, 1, 1000)?.propensity).toBeCloseTo(1 / 3, 3);
  });

  test('draws nobody without weight, however far apart the scores are', () => {
    const plan = { exploration: { probability: 1, temperature: 0.001 } };
    const far = { alive: ['0:ab', '1:cd'], verdicts: [1e300, -1e300], keep: 1, uniform: 1 - 2 ** -53, plan };
    expect(decideCase(far).commit).toMatchObject({ index: 0, propensity: 1 });
  });

  test('commits each candidate in the share of draws that is its propensity', () => {
    const draws = 4000;
    const anyScores = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 });
    const anyExploration = fc.record({
      probability: fc.constantFrom(0, 0.05, 0.5, 1),
      temperature: fc.constantFrom(0.25, 1, 4),
    });
    fc.assert(
      fc.property(anyScores, anyExploration, (scores, exploration) => {
        const shares = new Map<number, number>();
        const propensities = new Map<number, number>();
        for (let draw = 0; draw < draws; draw++) {
          const uniform = (draw + 0.5) / draws;
          const commit = decideCase({
            alive: scores.map((_, index) => `${index}:${index}x`),
            verdicts: scores,
            keep: 1,
            uniform,
            plan: { exploration },
          }).commit!;
          shares.set(commit.index, (shares.get(commit.index) ?? 0) + 1 / draws);
          propensities.set(commit.index, commit.propensity);
        }
        for (const [index, propensity] of propensities) {
          expect(Math.abs(shares.get(index)! - propensity)).toBeLessThan(3 / draws);
        }
      }),
      { seed: 42, numRuns: 25 },
    );
  });
});

describe('candidates are judged', () => {
  const plan: RacePlan = {
    ...racePlan,
    checkpoints: [
      { tokens: 4, keep: 5 },
      { tokens: 8, keep: 3 },
    ],
    commitTokens: 12,
  };
  const writing = (...tokens: number[]) => tokens.map((count) => ({ tokens: count, isEnded: false }));
  const ended = (...tokens: number[]) => tokens.map((count) => ({ tokens: count, isEnded: true }));

  test.each([
    { name: 'not before a checkpoint', alive: writing(3, 3), judgedAt: 0, keep: null },
    { name: 'at a checkpoint', alive: writing(4, 4), judgedAt: 0, keep: 5 },
    { name: 'not again after it', alive: writing(4, 4), judgedAt: 4, keep: null },
    { name: 'at the next one', alive: writing(8, 8), judgedAt: 4, keep: 3 },
    { name: 'to commit', alive: writing(12, 12), judgedAt: 8, keep: 1 },
    {
      name: 'by those that write, not by ended ones',
      alive: [...ended(2), ...writing(4)],
      judgedAt: 0,
      keep: 5,
    },
    { name: 'at once where all have ended', alive: ended(2, 3), judgedAt: 0, keep: 1 },
    { name: 'at once where one is left', alive: writing(2), judgedAt: 0, keep: 1 },
  ])('$name', ({ alive, judgedAt, keep }) => {
    expect(keepNow(plan, { alive, judgedAt })).toBe(keep);
  });

  test('only when all have ended where nobody is committed earlier', () => {
    const late = { ...racePlan, checkpoints: [], commitTokens: null };
    expect(keepNow(late, { alive: writing(90, 90), judgedAt: 0 })).toBeNull();
    expect(keepNow(late, { alive: ended(90, 8), judgedAt: 0 })).toBe(1);
  });

  test('and their race is as far as the longest', () => {
    expect([tokensOf([]), tokensOf(writing(3, 7, 5))]).toEqual([0, 7]);
  });
});

describe('a plan', () => {
  test.each([
    { change: {}, problem: null },
    { change: { commitTokens: null, leadToCommit: 0 }, problem: null },
    { change: { candidates: 0 }, problem: /candidates/ },
    { change: { candidates: 2.5 }, problem: /candidates/ },
    { change: { commitTokens: -1 }, problem: /commitTokens/ },
    { change: { commitTokens: Number.NaN }, problem: /commitTokens/ },
    { change: { leadToCommit: Number.NaN }, problem: /leadToCommit/ },
    { change: { leadToCommit: -1 }, problem: /leadToCommit/ },
    { change: { exploration: { probability: 1.1, temperature: 1 } }, problem: /probability/ },
    { change: { exploration: { probability: Number.NaN, temperature: 1 } }, problem: /probability/ },
    { change: { exploration: { probability: 0, temperature: 0 } }, problem: /temperature/ },
    { change: { checkpoints: [{ tokens: 0, keep: 1 }] }, problem: /ascending/ },
    { change: { checkpoints: [{ tokens: 4, keep: 0 }] }, problem: /keeps nobody/ },
    {
      change: {
        checkpoints: [
          { tokens: 4, keep: 2 },
          { tokens: 4, keep: 1 },
        ],
      },
      problem: /ascending/,
    },
  ])('with $change is sound or says why not: $problem', ({ change, problem }) => {
    const found = planProblem({ ...racePlan, ...change });
    if (problem === null) expect(found).toBeNull();
    else expect(found).toMatch(problem);
  });

  test('is cut to the slots, and to one candidate where that is committed before its first token', () => {
    expect(fitPlan({ ...racePlan, candidates: 10 }, 6).candidates).toBe(6);
    expect(fitPlan({ ...racePlan, candidates: 10 }, 16).candidates).toBe(10);
    expect(fitPlan({ ...racePlan, candidates: 10, commitTokens: 0 }, 16).candidates).toBe(1);
  });
});

describe('a judge', () => {
  const contenders = [toContender('0:a'), toContender('1:b')];

  test.each([
    { name: 'that returns too few verdicts', judge: () => [toVerdict(1)], message: /for each candidate/ },
    { name: 'that returns NaN', judge: () => [toVerdict(1), toVerdict(Number.NaN)], message: /not finite/ },
    {
      name: 'that returns infinity',
      judge: () => [toVerdict(Infinity), toVerdict(1)],
      message: /not finite/,
    },
    {
      name: 'that throws',
      judge: () => {
        throw new Error('no weights');
      },
      message: /the judge failed: no weights/,
    },
  ])('$name is found out', ({ judge, message }) => {
    expect(askJudge(judge, contenders)).toMatchObject({ ok: false, message: expect.stringMatching(message) });
  });

  test('that judges is believed', () => {
    const verdicts = [toVerdict(1), toVerdict('x')];
    expect(askJudge(() => verdicts, contenders)).toEqual({ ok: true, verdicts });
  });
});
