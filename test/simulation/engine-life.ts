/** What comes to the engine in one simulated life: requests of every shape, at random times, some of them cancelled. */
import type { Contender, EngineRequest, Judge, RacePlan, Selection } from '../../src/engine/request.ts';
import { uniformAt } from '../../src/engine/uniform.ts';
import { POISON, scriptedVocabulary } from '../support/scripted-runner.ts';

const STOPS = ['Person A:', 'abc', 'b', '\n', ' a', '<|', '😀', 'Per', '. ', 'ab a'];

/** A whole number from 0, below a bound. */
export type Pick = (below: number) => number;

export interface Life {
  readonly request: EngineRequest;
  /** The same request with the plan that was asked for last: what it started with. */
  readonly alone: () => EngineRequest;
  readonly arrivesAt: number;
  /** Step at whose pass somebody cancels, or null. */
  readonly cancelledAt: number | null;
}

export function createPick(seed: number): Pick {
  let drawn = 0;
  return (below) => Math.floor(uniformAt(seed, 0, drawn++) * below);
}

export function createLife(pick: Pick, id: string, slots: number): Life {
  const promptTokens = pick(4) === 0 ? 1 + pick(3) : 1 + pick(40);
  const isPoisoned = pick(8) === 0;
  const stem = pick(3) === 0 ? null : pick(4);
  const token = (place: number) =>
    stem === null ? pick(scriptedVocabulary.size - 3) : (place * 7 + stem) % 20;
  const prompt = Int32Array.from({ length: promptTokens }, (_, place) => 3 + token(place));
  if (isPoisoned) prompt[pick(promptTokens)] = POISON;
  const { selection, alone } = createSelection(pick, slots);
  const request: EngineRequest = {
    id,
    prompt,
    selection,
    tokensMax: 1 + pick(30),
    stop: STOPS.filter(() => pick(5) === 0),
    sampling: {
      temperature: [0, 0.2, 0.8, 1.5][pick(4)]!,
      topK: 1 + pick(16),
      topP: [0.3, 0.9, 1][pick(3)]!,
      repetitionPenalty: [1, 1.3][pick(2)]!,
      seed: pick(2 ** 32),
    },
    ...(pick(6) === 0 ? { written: 'So far' } : {}),
    ...(pick(4) === 0 ? {} : { reuse: { scope: `user ${pick(3)}`, publicTokens: pick(12) } }),
  };
  const arrivesAt = pick(2) === 0 ? pick(60) : 20 * pick(3);
  const cancelledAt = pick(5) === 0 ? arrivesAt + pick(25) : null;
  return { request, alone: () => ({ ...request, selection: alone() }), arrivesAt, cancelledAt };
}

/** Two of three race; the others show all of their candidates. */
function createSelection(pick: Pick, slots: number): { selection: Selection; alone: () => Selection } {
  if (pick(3) === 0) {
    const selection: Selection = {
      kind: 'all',
      candidates: pick(2) === 0 ? 1 : 1 + pick(Math.min(slots, 4)),
    };
    return { selection, alone: () => selection };
  }
  // With the load another plan: whoever waits is asked again and again.
  const plans = Array.from({ length: 1 + pick(3) }, () => createPlan(pick));
  let asked = 0;
  let current = plans[0]!;
  const plan = () => {
    current = plans[asked++ % plans.length]!;
    return current;
  };
  const judge = createJudge(
    pick,
    plans.every(({ runnerUp }) => !runnerUp),
  );
  const fitted = () => ({ ...current, candidates: Math.min(current.candidates, slots) });
  return {
    selection: { kind: 'race', plan, judge },
    alone: () => ({ kind: 'race', plan: fitted, judge }),
  };
}

function createPlan(pick: Pick): RacePlan {
  const candidates = 1 + pick(10);
  const first = 1 + pick(6);
  return {
    level: 1 + pick(3),
    candidates,
    checkpoints: [first, first + 1 + pick(5)]
      .slice(0, pick(3))
      .map((tokens) => ({ tokens, keep: 1 + pick(candidates) })),
    commitTokens: pick(6) === 0 ? null : pick(12),
    leadToCommit: pick(3) === 0 ? pick(10) / 5 : Number.POSITIVE_INFINITY,
    exploration: { probability: pick(2) / 2, temperature: 0.5 },
    runnerUp: pick(3) > 0,
  };
}

/**
 * Any pure function of the contenders: some filter, some compare them with one another, some throw.
 *
 * @param mayThrow not beside runner-ups: one that had to give way is no longer there to make it throw
 */
function createJudge(pick: Pick, mayThrow: boolean): Judge {
  const taboo = pick(4) === 0 ? ['a', 'b', 'c'][pick(3)]! : null;
  const throwsAt = mayThrow && pick(4) === 0 ? 'hello' : null;
  const isRelative = pick(2) === 0;
  const scoreOf = ({ text, tokens, logProb }: Contender) =>
    logProb / Math.max(1, tokens) + (text.length % 5) / 3;
  return (contenders) => {
    if (throwsAt !== null && contenders.some(({ text }) => text.includes(throwsAt)))
      throw new Error('broken');
    const mean = contenders.reduce((sum, one) => sum + scoreOf(one), 0) / contenders.length;
    return contenders.map((one) => ({
      score: scoreOf(one) - (isRelative ? mean : 0),
      features: { length: one.text.length },
      filterReason: taboo !== null && one.text.includes(taboo) ? 'taboo' : null,
    }));
  };
}
