/** Pairs for a blind reading: the reply that the race shows, and the first candidate, which one alone would have shown. */

import type { RacePlan } from '../../src/engine/request.ts';
import { uniformAt } from '../../src/engine/uniform.ts';
import { createJudge } from '../../src/ranking/judge.ts';
import type { Recording } from './record.ts';
import { replayRace } from './replay.ts';

export interface Pair {
  readonly number: number;
  readonly context: readonly string[];
  readonly left: string;
  readonly right: string;
}

/** `raced[i]` says on which side of pair i the raced reply stands; keep it away from whoever reads. */
export function makePairs(
  recordings: readonly Recording[],
  plan: RacePlan,
  { count, seed }: { count: number; seed: number },
): { pairs: readonly Pair[]; raced: readonly ('left' | 'right')[] } {
  const pairs: Pair[] = [];
  const raced: ('left' | 'right')[] = [];
  for (const recording of recordings) {
    if (pairs.length === count) break;
    const { chosen } = replayRace(recording, plan, createJudge(recording.rank));
    const first = recording.candidates.find(({ index }) => index === 0)?.text;
    const shown = recording.candidates.find(({ index }) => index === chosen)?.text;
    if (first === undefined || shown === undefined || first === shown) continue;
    const side = uniformAt(seed, 77, pairs.length) < 0.5 ? 'left' : 'right';
    raced.push(side);
    pairs.push({
      number: pairs.length + 1,
      context: recording.context.turns.slice(-3).map(({ role, text }) => `${role}: ${text}`),
      left: side === 'left' ? shown : first,
      right: side === 'left' ? first : shown,
    });
  }
  return { pairs, raced };
}
