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
import type { EngineEvent, EngineRequest } from '../../src/engine/request.ts';
import { uniformAt } from '../../src/engine/uniform.ts';
import { runAlone } from '../support/engine-drive.ts';
import { POISON, ScriptedRunner, scriptedVocabulary } from '../support/scripted-runner.ts';

const SEEDS = process.env['AMITY_TEST_LONG'] === '1' ? 10_000 : 300;
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
  text: string;
  ends: EngineEvent[];
  /** Whether it was in a pass that threw. */
  wasHit: boolean;
}

function createPick(seed: number): Pick {
  let drawn = 0;
  return (below) => Math.floor(uniformAt(seed, 0, drawn++) * below);
}

function createLife(pick: Pick, id: string, slots: number): Life {
  const promptTokens = pick(4) === 0 ? 1 + pick(3) : 1 + pick(40);
  const isPoisoned = pick(8) === 0;
  const prompt = Int32Array.from({ length: promptTokens }, () => 3 + pick(scriptedVocabulary.size - 3));
  if (isPoisoned) prompt[pick(promptTokens)] = POISON;
  const request: EngineRequest = {
    id,
    prompt,
    candidates: pick(3) === 0 ? 1 + pick(Math.min(slots, 4)) : 1,
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
      if (admission === 'accepted') accepted.set(life.request.id, { text: '', ends: [], wasHit: false });
      else if (admission === 'queue_full') refused++;
      else throw new Error(`unexpected refusal ${admission}`);
    }
    if (step > 60 && engine.idle) break;
    for (const event of await engine.step()) {
      const outcome = accepted.get(event.id)!;
      if (event.kind === 'text') outcome.text += event.text;
      if (event.kind === 'finished' || event.kind === 'failed') outcome.ends.push(event);
      else expect(outcome.ends, 'nothing comes after the end').toEqual([]);
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

async function checkAgainstAlone(life: Life, outcome: Outcome, prefillTokensMax: number): Promise<string> {
  expect(outcome.ends).toHaveLength(1);
  const end = outcome.ends[0]!;
  const alone = await runAlone(life.request, prefillTokensMax);
  const aloneText = alone.map((event) => (event.kind === 'text' ? event.text : '')).join('');
  const aloneEnd = alone.at(-1)!;

  if (end.kind === 'finished') {
    expect(end.candidates.find(({ index }) => index === end.shown)?.text).toBe(outcome.text);
    expect(outcome.text).toBe(outcome.text.trim());
    const isCut = end.candidates.some(({ finishReason }) => finishReason === 'cancelled');
    if (!isCut) {
      expect(end).toEqual(aloneEnd);
      expect(outcome.text).toBe(aloneText);
      return 'finished';
    }
    expect(life.cancelledAt).not.toBeNull();
    expect(aloneText.startsWith(outcome.text)).toBe(true);
    return 'cancelled';
  }
  expect(aloneText.startsWith(outcome.text)).toBe(true);
  if (outcome.wasHit) return 'hit';
  expect(end).toEqual(aloneEnd);
  return 'poisoned';
}

async function simulate(seed: number): Promise<readonly string[]> {
  const pick = createPick(seed);
  const slots = 1 + pick(8);
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
  for (const kind of ['finished', 'cancelled', 'hit', 'poisoned', 'refused']) {
    expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(SEEDS / 10);
  }
}, 900_000);
