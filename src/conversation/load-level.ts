/**
 * How much is done for a reply, by how long generations wait. Level by level something is given up, the dearest last:
 *
 *   0  all candidates to their end, ranked then (only where quality is set to best)
 *   1  all candidates race, one is committed early and streams
 *   2  a few candidates race
 *   3  one candidate
 *   4  a canned reply, without the model
 *   5  refused, with `retryAfterMs`
 */
import type { RacePlan } from '../engine/request.ts';

export type LoadLevel = 0 | 1 | 2 | 3 | 4 | 5;

/**
 * Queue age, in milliseconds, from which a level holds. It falls again, one level at a time, when the age has stayed under
 * `fallBelow` of the level's own threshold for `calmMs`: without that gap the level would flutter around a threshold.
 */
const risesAtMs: readonly { readonly level: LoadLevel; readonly ageMs: number }[] = [
  { level: 5, ageMs: 3000 },
  { level: 4, ageMs: 2000 },
  { level: 3, ageMs: 600 },
  { level: 2, ageMs: 200 },
  { level: 1, ageMs: 50 },
];
const fallBelow = 0.5;
const calmMs = 1000;

export interface LoadState {
  readonly level: LoadLevel;
  /** Since when the queue age has been low enough to fall; null while it is not. */
  readonly calmSince: number | null;
}

/** @param now monotonic milliseconds */
export function nextLoadState(
  state: LoadState,
  { queueAgeMs, base, now }: { queueAgeMs: number; base: 0 | 1; now: number },
): LoadState {
  const risen = Math.max(base, risesAtMs.find(({ ageMs }) => queueAgeMs >= ageMs)?.level ?? 0) as LoadLevel;
  if (risen > state.level) return { level: risen, calmSince: null };
  if (state.level <= base) return { level: base, calmSince: null };
  const own = risesAtMs.find(({ level }) => level === state.level)?.ageMs ?? 0;
  if (queueAgeMs >= own * fallBelow) return { level: state.level, calmSince: null };
  const calmSince = state.calmSince ?? now;
  if (now - calmSince < calmMs) return { level: state.level, calmSince };
  return { level: (state.level - 1) as LoadLevel, calmSince: now };
}

/** What an operator may choose about races. */
export interface RaceSettings {
  /** `best` ranks finished candidates at level 0 and streams late; `live` starts at level 1. */
  readonly quality: 'live' | 'best';
  /** Candidates at levels 0 and 1. */
  readonly candidates: number;
  readonly commitTokens: number;
  /** Probability of exploring at a commit. */
  readonly exploration: number;
}

/** Candidates at level 2. */
const fewCandidates = 4;
/** Softmax temperature of exploration, in units of the rank score. */
const explorationTemperature = 0.5;

/** The race at a level; levels 4 and 5 start none, so that what still starts gets the cheapest one. */
export function racePlanOf(level: LoadLevel, settings: RaceSettings): RacePlan {
  const { commitTokens } = settings;
  const exploration = { probability: settings.exploration, temperature: explorationTemperature };
  const shared = { exploration, leadToCommit: Number.POSITIVE_INFINITY, runnerUp: true };
  if (level === 0) {
    return { ...shared, level, candidates: settings.candidates, checkpoints: [], commitTokens: null };
  }
  const candidates =
    level === 1 ? settings.candidates : level === 2 ? Math.min(fewCandidates, settings.candidates) : 1;
  if (candidates === 1) {
    return {
      ...shared,
      level: Math.min(level, 3),
      candidates,
      checkpoints: [],
      commitTokens: 0,
      runnerUp: false,
    };
  }
  return {
    ...shared,
    level,
    candidates,
    checkpoints: checkpointsOf(commitTokens, candidates),
    commitTokens,
  };
}

/**
 * On the way to the commit, six of ten go on at a third and three of ten at two thirds: with the default commit half of the tokens
 * for nine tenths of the gain (bench/RESULTS.md, racing). Two at least, since one alone is committed.
 */
function checkpointsOf(commitTokens: number, candidates: number): RacePlan['checkpoints'] {
  const third = Math.round(commitTokens / 3);
  const checkpoints: RacePlan['checkpoints'][number][] = [];
  let alive = candidates;
  for (const { tokens, share } of [
    { tokens: third, share: 0.6 },
    { tokens: 2 * third, share: 0.3 },
  ]) {
    const keep = Math.max(2, Math.ceil(share * candidates));
    if (keep >= alive || tokens < 1 || tokens >= commitTokens) continue;
    checkpoints.push({ tokens, keep });
    alive = keep;
  }
  return checkpoints;
}
