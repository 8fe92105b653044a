/** Levels follow how long generations wait: up at once, down one by one and only after a calm. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type LoadLevel,
  type LoadState,
  nextLoadState,
  type RaceSettings,
  racePlanOf,
} from '../../../src/conversation/load-level.ts';

const settings: RaceSettings = { quality: 'live', candidates: 10, commitTokens: 14, exploration: 0.05 };
const atRest: LoadState = { level: 1, calmSince: null };

/** Levels after each observation of `[now, queueAgeMs]`. */
function levelsOf(observations: readonly (readonly [number, number])[], base: 0 | 1 = 1): LoadLevel[] {
  let state: LoadState = { level: base, calmSince: null };
  return observations.map(([now, queueAgeMs]) => {
    state = nextLoadState(state, { queueAgeMs, base, now });
    return state.level;
  });
}

describe('nextLoadState', () => {
  it('stays at its base while nobody waits', () => {
    expect(nextLoadState(atRest, { queueAgeMs: 0, base: 1, now: 5 })).toEqual(atRest);
    expect(levelsOf([[0, 0]], 0)).toEqual([0]);
  });

  it.each([
    [199, 1],
    [200, 2],
    [599, 2],
    [600, 3],
    [1999, 3],
    [2000, 4],
    [2999, 4],
    [3000, 5],
    [Number.MAX_VALUE, 5],
  ])('a queue age of %d ms rises to level %d at once', (queueAgeMs, level) => {
    expect(nextLoadState(atRest, { queueAgeMs, base: 1, now: 0 }).level).toBe(level);
  });

  it('falls one level for each calm second', () => {
    expect(
      levelsOf([
        [0, 5000],
        [100, 0],
        [1099, 0],
        [1100, 0],
        [2099, 0],
        [2100, 0],
        [3100, 0],
        [4100, 0],
        [5100, 0],
      ]),
    ).toEqual([5, 5, 5, 4, 4, 3, 2, 1, 1]);
  });

  it('does not fall while the age is between half of its threshold and the threshold', () => {
    expect(
      levelsOf([
        [0, 700],
        [1000, 400],
        [9000, 400],
        [9100, 299],
        [10_100, 299],
      ]),
    ).toEqual([3, 3, 3, 3, 2]);
  });

  it('with quality set to best gives level 0 up as soon as anybody waits, and comes back to it', () => {
    const observations = [
      [0, 49],
      [1, 50],
      [2, 24],
      [1001, 24],
      [1002, 24],
    ] as const;
    expect(levelsOf(observations, 0)).toEqual([0, 1, 1, 1, 0]);
    expect(levelsOf(observations, 1)).toEqual([1, 1, 1, 1, 1]);
  });

  it('begins the calm anew when the age rises in between', () => {
    expect(
      levelsOf([
        [0, 700],
        [100, 0],
        [900, 400],
        [1200, 0],
        [2199, 0],
        [2200, 0],
      ]),
    ).toEqual([3, 3, 3, 3, 3, 2]);
  });

  it('is never below the level of the age, never below its base, and never falls by two', () => {
    const ages = fc.array(fc.tuple(fc.integer({ min: 0, max: 800 }), fc.integer({ min: 0, max: 6000 })));
    fc.assert(
      fc.property(ages, fc.constantFrom(0 as const, 1 as const), (steps, base) => {
        let state: LoadState = { level: base, calmSince: null };
        let now = 0;
        for (const [passed, queueAgeMs] of steps) {
          now += passed;
          const next = nextLoadState(state, { queueAgeMs, base, now });
          const own = nextLoadState({ level: base, calmSince: null }, { queueAgeMs, base, now }).level;
          expect(next.level).toBeGreaterThanOrEqual(Math.max(base, own));
          expect(next.level).toBeGreaterThanOrEqual(state.level - 1);
          state = next;
        }
      }),
    );
  });
});

describe('racePlanOf', () => {
  it('gives up candidates level by level', () => {
    const levels: readonly LoadLevel[] = [0, 1, 2, 3, 4, 5];
    expect(levels.map((level) => racePlanOf(level, settings).candidates)).toEqual([10, 10, 4, 1, 1, 1]);
    expect(levels.map((level) => racePlanOf(level, settings).level)).toEqual([0, 1, 2, 3, 3, 3]);
  });

  it('ranks at the end at level 0, at the commit at levels 1 and 2, and streams from the first token at level 3', () => {
    const commits = ([0, 1, 2, 3] as const).map((level) => racePlanOf(level, settings).commitTokens);
    expect(commits).toEqual([null, 14, 14, 0]);
  });

  it('never starts more candidates than the settings allow, and has no race for one', () => {
    expect(racePlanOf(2, { ...settings, candidates: 3 }).candidates).toBe(3);
    const alone = racePlanOf(1, { ...settings, candidates: 1 });
    expect(alone).toMatchObject({ level: 1, candidates: 1, commitTokens: 0, checkpoints: [] });
  });

  it('lets six of ten go on at a third of the way to the commit, and three at two thirds', () => {
    const checkpoints = (candidates: number) =>
      racePlanOf(1, { ...settings, candidates, commitTokens: 28 }).checkpoints;
    expect(checkpoints(10)).toEqual([
      { tokens: 9, keep: 6 },
      { tokens: 18, keep: 3 },
    ]);
    expect(checkpoints(4).map(({ keep }) => keep)).toEqual([3, 2]);
    expect(checkpoints(2)).toEqual([]);
  });

  it('has checkpoints in ascending order before the commit, each keeping fewer', () => {
    for (const commitTokens of [1, 2, 3, 4, 5, 14, 100]) {
      for (const level of [1, 2] as const) {
        const { checkpoints, candidates } = racePlanOf(level, { ...settings, commitTokens });
        let [tokens, keep] = [0, candidates + 1];
        for (const checkpoint of checkpoints) {
          expect(checkpoint.tokens).toBeGreaterThan(tokens);
          expect(checkpoint.tokens).toBeLessThan(commitTokens);
          expect(checkpoint.keep).toBeLessThan(keep);
          // One alone would be committed before its time.
          expect(checkpoint.keep).toBeGreaterThanOrEqual(2);
          [tokens, keep] = [checkpoint.tokens, checkpoint.keep];
        }
      }
    }
  });
});
