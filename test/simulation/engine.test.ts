/**
 * One seed drives a whole life of the engine: requests that come at random, of every shape, cancels (also while
 * a pass runs), passes that fail and logits that are NaN. After each step the invariants are checked, at the
 * end every request against the same request with an engine to itself.
 *
 * SEED=n runs that one seed; AMITY_TEST_LONG=1 runs many more.
 */
import { expect, test } from 'vitest';
import type { EngineLimits } from '../../src/engine/admission.ts';
import { Engine } from '../../src/engine/engine.ts';
import { findViolations } from '../../src/engine/invariants.ts';
import type { Contender, EngineEvent, EngineRequest, Selection, Verdict } from '../../src/engine/request.ts';
import { uniformAt } from '../../src/engine/uniform.ts';
import { runAlone } from '../support/engine-drive.ts';
import { POISON, ScriptedRunner, scriptedVocabulary } from '../support/scripted-runner.ts';

const SEEDS = process.env['AMITY_TEST_LONG'] === '1' ? 10_000 : 2_000;
const STEPS_MAX = 5000;
const STOPS = ['Person A:', 'abc', 'b', '\n', ' a', '<|', '😀', 'Per', '. ', 'ab a'];

type Pick = (below: number) => number;

interface Life {
  readonly request: EngineRequest;
  readonly arrivesAt: number;
  /** Step at whose pass somebody cancels, or null. */
  readonly cancelledAt: number | null;
}

interface Outcome {
  /** Text by candidate, as it was streamed. */
  texts: Map<number, string>;
  ends: EngineEvent[];
  /** After an end that has more. */
  alternatives: EngineEvent[];
  /** Whether it was in a pass that threw. */
  wasHit: boolean;
}

function createPick(seed: number): Pick {
  let drawn = 0;
  return (below) => Math.floor(uniformAt(seed, 0, drawn++) * below);
}

/** One of three makes several that are all shown, one races; the rest have one candidate. */
function createSelection(pick: Pick, slots: number): Selection {
  const kind = pick(3);
  if (kind === 0) return { kind: 'all', candidates: 1 + pick(Math.min(slots, 4)) };
  if (kind === 1) return { kind: 'all', candidates: 1 };
  const candidates = 1 + pick(Math.min(slots, 10));
  const commitTokens = pick(5) === 0 ? null : pick(12);
  const first = 1 + pick(6);
  const checkpoints = [first, first + 1 + pick(5)]
    .slice(0, pick(3))
    .map((tokens) => ({ tokens, keep: 1 + pick(candidates) }));
  const leadToCommit = pick(3) === 0 ? pick(10) / 5 : Number.POSITIVE_INFINITY;
  const exploration = { probability: pick(2) / 2, temperature: 0.5 };
  const plan = {
    level: 1,
    candidates,
    checkpoints,
    commitTokens,
    leadToCommit,
    exploration,
    runnerUp: pick(3) > 0,
  };
  const taboo = pick(4) === 0 ? ['a', 'b', 'c'][pick(3)]! : null;
  return {
    kind: 'race',
    plan: () => plan,
    judge: (contenders) => contenders.map((one) => judgeOne(one, taboo)),
  };
}

/** Any pure function of a contender. */
function judgeOne({ text, tokens, logProb }: Contender, taboo: string | null): Verdict {
  const isFiltered = taboo !== null && text.includes(taboo);
  return {
    score: logProb / Math.max(1, tokens) + (text.length % 5) / 3,
    features: { length: text.length },
    filterReason: isFiltered ? 'taboo' : null,
  };
}

function createLife(pick: Pick, id: string, slots: number): Life {
  const promptTokens = pick(4) === 0 ? 1 + pick(3) : 1 + pick(40);
  const isPoisoned = pick(8) === 0;
  const prompt = Int32Array.from({ length: promptTokens }, () => 3 + pick(scriptedVocabulary.size - 3));
  if (isPoisoned) prompt[pick(promptTokens)] = POISON;
  const request: EngineRequest = {
    id,
    prompt,
    selection: createSelection(pick, slots),
    tokensMax: 1 + pick(30),
    stop: STOPS.filter(() => pick(5) === 0),
    sampling: {
      temperature: [0, 0.2, 0.8, 1.5][pick(4)]!,
      topK: 1 + pick(16),
      topP: [0.3, 0.9, 1][pick(3)]!,
      repetitionPenalty: [1, 1.3][pick(2)]!,
      seed: pick(2 ** 32),
    },
  };
  const arrivesAt = pick(2) === 0 ? pick(60) : 20 * pick(3);
  return { request, arrivesAt, cancelledAt: pick(5) === 0 ? arrivesAt + pick(25) : null };
}

/** Runs one life; returns what became of each accepted request, and how many were refused. */
async function live(
  lives: readonly Life[],
  { pick, slots, limits }: { pick: Pick; slots: number; limits: EngineLimits },
) {
  const failsOneIn = pick(3) === 0 ? 8 + pick(40) : null;
  const accepted = new Map<string, Outcome>();
  let refused = 0;
  let step = 0;
  const runner = new ScriptedRunner({
    slots,
    positions: 72,
    onPass: (rows) => {
      for (const life of lives) if (life.cancelledAt === step) engine.cancel(life.request.id);
      if (failsOneIn === null || pick(failsOneIn) > 0) return;
      const hit = new Set(rows.map(({ slot }) => slot));
      for (const { requestId, slot } of engine.snapshot().sequences) {
        if (slot !== null && hit.has(slot)) accepted.get(requestId)!.wasHit = true;
      }
      throw new Error('the runtime failed');
    },
  });
  const engine = new Engine({ runner, vocabulary: scriptedVocabulary }, limits);

  for (; step < STEPS_MAX; step++) {
    for (const life of lives.filter(({ arrivesAt }) => arrivesAt === step)) {
      const admission = engine.submit(life.request);
      if (admission === 'accepted')
        accepted.set(life.request.id, { texts: new Map(), ends: [], alternatives: [], wasHit: false });
      else if (admission === 'queue_full') refused++;
      else throw new Error(`unexpected refusal ${admission}`);
    }
    if (step > 60 && engine.idle) break;
    for (const event of await engine.step()) {
      const outcome = accepted.get(event.id)!;
      if (event.kind === 'text') addText(outcome.texts, event);
      if (event.kind === 'finished' || event.kind === 'failed') outcome.ends.push(event);
      else if (event.kind === 'alternative') {
        outcome.alternatives.push(event);
        expect(outcome.ends, 'an alternative comes after an end that has more').toMatchObject([
          { hasMore: true },
        ]);
      } else expect(outcome.ends, 'nothing else comes after the end').toEqual([]);
    }
    expect(findViolations(engine.snapshot())).toEqual([]);
    expect(runner.violations).toEqual([]);
  }
  expect(engine.idle).toBe(true);
  const { slotsTakenTotal, slotsFreedTotal, slotsFree } = engine.snapshot();
  expect(slotsFreedTotal).toBe(slotsTakenTotal);
  expect(slotsFree).toBe(slots);
  return { accepted, refused };
}

function addText(texts: Map<number, string>, { index, text }: { index: number; text: string }): void {
  texts.set(index, (texts.get(index) ?? '') + text);
}

function textsOf(events: readonly EngineEvent[]): Map<number, string> {
  const texts = new Map<number, string>();
  for (const event of events) if (event.kind === 'text') addText(texts, event);
  return texts;
}

type Finished = EngineEvent & { readonly kind: 'finished' };

/** Without what the pressure of others may change: how far the runner-up came, and what was made of it. */
function withoutRunnerUp(end: EngineEvent): unknown {
  if (end.kind !== 'finished' || end.race === null) return end;
  const { hasMore: _, ...rest } = end;
  const others = end.candidates.filter(({ index }) => index === end.shown || !isRunnerUp(end, index));
  return { ...rest, candidates: others.map(({ verdict: __, ...candidate }) => candidate) };
}

/** Who of the last judging went on beside the committed one. */
const isRunnerUp = ({ race, shown }: Finished, index: number) =>
  index !== shown && race?.checkpoints.at(-1)?.kept.includes(index) === true;

async function checkAgainstAlone(life: Life, outcome: Outcome, prefillTokensMax: number): Promise<string> {
  expect(outcome.ends).toHaveLength(1);
  const end = outcome.ends[0]!;
  const alone = await runAlone(life.request, prefillTokensMax);
  const aloneTexts = textsOf(alone);
  const aloneEnd = alone.find(({ kind }) => kind === 'finished' || kind === 'failed')!;
  for (const [index, text] of outcome.texts) {
    expect(aloneTexts.get(index)?.startsWith(text), 'what was shown is what is shown alone').toBe(true);
  }
  if (end.kind !== 'finished') {
    if (outcome.wasHit) return 'hit';
    expect(end).toEqual(aloneEnd);
    return 'poisoned';
  }
  expect(outcome.alternatives).toHaveLength(end.hasMore ? 1 : 0);
  for (const { index, text } of end.candidates) {
    const streamed = outcome.texts.get(index);
    if (streamed !== undefined) expect(streamed).toBe(text);
    expect(text).toBe(text.trim());
  }
  if (end.shown !== null && outcome.texts.size > 0) expect([...outcome.texts.keys()]).toEqual([end.shown]);
  const isCut =
    life.cancelledAt !== null && end.candidates.every(({ finishReason }) => finishReason !== 'stop');
  if (!isCut || aloneEnd.kind === 'failed') {
    if (outcome.wasHit) return 'hit';
  }
  if (wasCancelled(end)) {
    expect(life.cancelledAt).not.toBeNull();
    return 'cancelled';
  }
  if (outcome.wasHit) return 'hit';
  expect(withoutRunnerUp(end)).toEqual(withoutRunnerUp(aloneEnd));
  expect(outcome.texts).toEqual(aloneTexts);
  if (end.race === null) return 'finished';
  return end.race.commit === null ? 'filtered' : 'raced';
}

/** Whether somebody stopped it before it was done: while it waited, before the commit, or the one that is shown. */
function wasCancelled({ candidates, race, shown }: Finished): boolean {
  const isOpen = (index: number) => race === null || shown === null || index === shown;
  const isCut = candidates.some(({ index, finishReason }) => finishReason === 'cancelled' && isOpen(index));
  return isCut || (race === null && candidates.length === 0);
}

async function simulate(seed: number): Promise<readonly string[]> {
  const pick = createPick(seed);
  const slots = 1 + pick(14);
  const limits = { queueMax: 1 + pick(12), prefillTokensMax: 3 + pick(40) };
  const lives = Array.from({ length: 4 + pick(20) }, (_, index) => createLife(pick, `r${index}`, slots));
  const { accepted, refused } = await live(lives, { pick, slots, limits });
  const seen = Array.from({ length: refused }, () => 'refused');
  for (const life of lives) {
    const outcome = accepted.get(life.request.id);
    if (outcome !== undefined) seen.push(await checkAgainstAlone(life, outcome, limits.prefillTokensMax));
  }
  return seen;
}

test('batched output equals isolated output through joins, cancels and failures, and every slot is accounted for', async () => {
  const only = process.env['SEED'];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
  const counts = new Map<string, number>();
  for (const seed of seeds) {
    try {
      for (const kind of await simulate(seed)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    } catch (error) {
      console.error(`SEED=${seed}`);
      throw error;
    }
  }
  if (only !== undefined) return;
  // A simulation that never gets into trouble proves nothing.
  for (const kind of ['finished', 'raced', 'filtered', 'cancelled', 'hit', 'poisoned', 'refused']) {
    expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(SEEDS / 20);
  }
}, 900_000);
