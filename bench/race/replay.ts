/** Runs a race on recorded candidates: what would have been dropped, committed and computed. */
import type { Contender, Judge, RacePlan, Verdict } from '../../src/engine/request.ts';
import type { RecordedCandidate, Recording } from './record.ts';

export interface Replay {
  /** Index of the committed candidate; null when all were filtered. */
  readonly chosen: number | null;
  readonly runnerUp: number | null;
  readonly commitTokens: number;
  /** Tokens computed, the runner-up included. */
  readonly tokens: number;
  readonly runnerUpTokens: number;
}

export function replayRace({ candidates }: Recording, plan: RacePlan, judge: Judge): Replay {
  const computed = new Map(candidates.map(({ index }) => [index, 0]));
  const commitAt = plan.commitTokens ?? Number.POSITIVE_INFINITY;
  let alive = [...candidates];
  let ranking: readonly RecordedCandidate[] = alive;
  let commitTokens = 0;
  for (const { tokens, keep } of [
    ...plan.checkpoints,
    { tokens: commitAt, keep: Number.POSITIVE_INFINITY },
  ]) {
    for (const one of alive) computed.set(one.index, Math.min(tokens, one.tokens));
    commitTokens = Math.min(tokens, Math.max(0, ...alive.map((one) => one.tokens)));
    ranking = rank(alive, tokens, judge);
    alive = ranking.slice(0, keep);
  }
  const chosen = ranking[0] ?? null;
  const runnerUp = plan.runnerUp
    ? (ranking.find((one) => one !== chosen && one.text !== chosen?.text) ?? null)
    : null;
  const runnerUpTokens = runnerUp === null ? 0 : runnerUp.tokens - (computed.get(runnerUp.index) ?? 0);
  if (chosen !== null) computed.set(chosen.index, chosen.tokens);
  const tokens = [...computed.values()].reduce((sum, count) => sum + count, 0) + runnerUpTokens;
  return {
    chosen: chosen?.index ?? null,
    runnerUp: runnerUp?.index ?? null,
    commitTokens,
    tokens,
    runnerUpTokens,
  };
}

/** Unfiltered ones, best first. */
function rank(alive: readonly RecordedCandidate[], tokens: number, judge: Judge): RecordedCandidate[] {
  const verdicts = judge(alive.map((one) => contenderAt(one, tokens)));
  return alive
    .map((one, place) => ({ one, verdict: verdicts[place] as Verdict }))
    .filter(({ verdict }) => verdict.filterReason === null)
    .sort((a, b) => b.verdict.score - a.verdict.score || a.one.index - b.one.index)
    .map(({ one }) => one);
}

/** A candidate as it was after `tokens` tokens. */
export function contenderAt(one: RecordedCandidate, tokens: number): Contender {
  const { index } = one;
  if (tokens >= one.tokens) {
    const isEnded = true;
    return { index, text: one.text, tokens: one.tokens, logProb: one.logProb, isEnded };
  }
  const [shown, logProb] = one.steps[tokens - 1] ?? [0, 0];
  return { index, text: one.text.slice(0, shown), tokens, logProb, isEnded: false };
}
