/** What a race costs and what it loses, against ten whole candidates of which the best is shown. */

import type { RacePlan } from '../../src/engine/request.ts';
import { createJudge } from '../../src/ranking/judge.ts';
import type { Recording } from './record.ts';
import { contenderAt, replayRace } from './replay.ts';

export interface Evaluation {
  /** Tokens computed, as a share of all ten written to their end; runner-up included. */
  readonly tokenShare: number;
  /** The same without the runner-up. */
  readonly tokenShareAlone: number;
  /** mean(best - chosen) / mean(best - random candidate), by the rank score of whole texts. */
  readonly regret: number;
  /** 1 = the chosen one is the best of the ten; 5.5 = as good as chance. */
  readonly meanRank: number;
  /** Share of replies in which the chosen one is the best. */
  readonly bestChosen: number;
  /** Tokens at which the text begins to stream, mean. */
  readonly commitTokens: number;
  /** Share of replies whose chosen candidate turns out to be filtered when it is whole. */
  readonly filteredLater: number;
}

export function evaluate(recordings: readonly Recording[], plan: RacePlan): Evaluation {
  const rows = recordings.map((recording) => evaluateOne(recording, plan));
  const mean = (read: (row: Row) => number) => rows.reduce((sum, row) => sum + read(row), 0) / rows.length;
  const all = mean((row) => row.allTokens);
  return {
    tokenShare: mean((row) => row.tokens) / all,
    tokenShareAlone: mean((row) => row.tokens - row.runnerUpTokens) / all,
    regret: mean((row) => row.best - row.chosen) / mean((row) => row.best - row.random),
    meanRank: mean((row) => row.rank),
    bestChosen: mean((row) => (row.rank === 1 ? 1 : 0)),
    commitTokens: mean((row) => row.commitTokens),
    filteredLater: mean((row) => row.filteredLater),
  };
}

type Row = ReturnType<typeof evaluateOne>;

function evaluateOne(recording: Recording, plan: RacePlan) {
  const judge = createJudge(recording.rank);
  const finals = finalScores(recording);
  const scores = [...finals.values()].map(({ score }) => score);
  const replay = replayRace(recording, plan, judge);
  const chosen = finals.get(replay.chosen ?? -1);
  const score = chosen?.score ?? Math.min(...scores);
  return {
    ...replay,
    chosen: score,
    best: Math.max(...scores),
    random: scores.reduce((sum, one) => sum + one, 0) / scores.length,
    rank: 1 + scores.filter((one) => one > score).length,
    filteredLater: chosen?.isFiltered === true ? 1 : 0,
    allTokens: recording.candidates.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

/** Rank scores of the whole candidates; a filtered one is as bad as the worst that may be shown. */
export function finalScores(recording: Recording) {
  const { candidates } = recording;
  const verdicts = createJudge(recording.rank)(
    candidates.map((one) => contenderAt(one, Number.POSITIVE_INFINITY)),
  );
  const shown = verdicts.filter(({ filterReason }) => filterReason === null).map(({ score }) => score);
  const worst = shown.length > 0 ? Math.min(...shown) : 0;
  return new Map(
    candidates.map(({ index }, place) => {
      const { score, filterReason } = verdicts[place]!;
      const isFiltered = filterReason !== null;
      return [index, { score: isFiltered ? worst : score, isFiltered, filterReason }] as const;
    }),
  );
}
