/** What is shown of ten candidates, against the first one alone: the flaws of the whole texts. */
import type { RacePlan } from '../../src/engine/request.ts';
import { createJudge } from '../../src/ranking/judge.ts';
import { finalScores } from './evaluate.ts';
import type { Recording } from './record.ts';
import { contenderAt, replayRace } from './replay.ts';

/** Shares of replies and means of features, over all contexts. */
export function describeShown(recordings: readonly Recording[], plan: RacePlan) {
  const shown = {
    'first candidate': () => 0,
    'raced (default)': (one: Recording) => replayRace(one, plan, createJudge(one.rank)).chosen,
    'best of ten': (one: Recording) =>
      [...finalScores(one)]
        .filter(([, { isFiltered }]) => !isFiltered)
        .sort(([, a], [, b]) => b.score - a.score)[0]?.[0] ?? null,
  };
  return Object.entries(shown).map(([name, choose]) => {
    const verdicts = recordings.flatMap((recording) => {
      const candidate = recording.candidates.find(({ index }) => index === choose(recording));
      if (candidate === undefined) return [];
      return createJudge(recording.rank)([contenderAt(candidate, Number.POSITIVE_INFINITY)]);
    });
    const share = (fits: (verdict: (typeof verdicts)[number]) => boolean) =>
      Math.round((1000 * verdicts.filter(fits).length) / verdicts.length) / 1000;
    const has = (feature: string, above = 0) => share(({ features }) => (features[feature] ?? 0) > above);
    return {
      name,
      replies: verdicts.length,
      filtered: share(({ filterReason }) => filterReason !== null),
      roleLeak: share(({ filterReason }) => filterReason === 'role_leak'),
      repeatsItself: has('repetition', 0.1),
      repeatsOwnTurns: has('ownTurnOverlap'),
      repeatsTheUser: has('userOverlap'),
      assistantVoice: has('assistantVoice'),
      clutter: has('clutter'),
    };
  });
}
