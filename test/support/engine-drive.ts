/** Requests and loops for tests of the engine. */
import { expect } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { findViolations } from '../../src/engine/invariants.ts';
import type { Vocabulary } from '../../src/engine/model-runner.ts';
import type {
  Contender,
  EngineEvent,
  EngineRequest,
  Judge,
  RacePlan,
  SamplingParams,
  Selection,
  Verdict,
} from '../../src/engine/request.ts';
import { ScriptedRunner, type ScriptedRunnerOptions, scriptedVocabulary } from './scripted-runner.ts';

export const sampling: SamplingParams = {
  temperature: 0.9,
  topK: 12,
  topP: 0.95,
  repetitionPenalty: 1.1,
  seed: 1,
};

/** @param overrides.candidates short for a selection that makes and shows so many */
export function createRequest({
  candidates = 1,
  ...overrides
}: Partial<EngineRequest> & { candidates?: number } = {}): EngineRequest {
  return {
    id: 'r',
    prompt: Int32Array.of(3, 4, 5),
    selection: { kind: 'all', candidates },
    tokensMax: 12,
    stop: [],
    sampling,
    ...overrides,
  };
}

/** Four race for six tokens without a checkpoint; the best is committed, the second written to its end too. */
export const racePlan: RacePlan = {
  level: 1,
  candidates: 4,
  checkpoints: [],
  commitTokens: 6,
  leadToCommit: Number.POSITIVE_INFINITY,
  exploration: { probability: 0, temperature: 1 },
  runnerUp: true,
};

/** Each by itself: a number is its score, a text the reason why it is filtered. */
export function judgeEach(rule: (contender: Contender) => number | string): Judge {
  return (contenders) =>
    contenders.map((contender): Verdict => {
      const outcome = rule(contender);
      const features = { tokens: contender.tokens };
      if (typeof outcome === 'string') return { score: 0, features, filterReason: outcome };
      return { score: outcome, features, filterReason: null };
    });
}

/** @param rule of `judgeEach`; without one the higher index is the better */
export function createRace(
  plan: Partial<RacePlan> = {},
  rule: (contender: Contender) => number | string = ({ index }) => index,
): Selection {
  return { kind: 'race', plan: () => ({ ...racePlan, ...plan }), judge: judgeEach(rule) };
}

/** Sequences that a request starts with where there are slots enough. */
export function candidatesOf({ selection }: EngineRequest): number {
  return selection.kind === 'all' ? selection.candidates : selection.plan().candidates;
}

/** No token ends a reply: all candidates write until `tokensMax`. */
const endless: Vocabulary = { ...scriptedVocabulary, isEnd: () => false };

/** An engine with room for a race of ten. */
export function createEngine({
  vocabulary = endless,
  slots = 10,
  queueMax = 8,
  ...options
}: ScriptedRunnerOptions & { vocabulary?: Vocabulary; queueMax?: number } = {}) {
  const runner = new ScriptedRunner({ slots, ...options });
  const engine = new Engine({ runner, vocabulary }, { queueMax, prefillTokensMax: 16, chunkTokens: 8 });
  return { runner, engine };
}

/** Steps after which an engine that is busy still will never be done. */
const BUSY = 1000;

export interface Step {
  readonly events: readonly EngineEvent[];
  /** That decode when the step is over. */
  readonly rows: number;
}

/** Steps until nothing is left to do, or so many times; checks the invariants after each. */
export async function stepAll(engine: Engine, stepsMax = BUSY): Promise<Step[]> {
  const steps: Step[] = [];
  while (!engine.idle && steps.length < stepsMax) {
    if (steps.length === BUSY - 1) throw new Error(`the engine is busy after ${BUSY} steps`);
    const events = await engine.step();
    const snapshot = engine.snapshot();
    expect(findViolations(snapshot)).toEqual([]);
    steps.push({ events, rows: snapshot.rowsDecoding });
  }
  return steps;
}

/** What was streamed of a candidate. */
export const textOf = (events: readonly EngineEvent[], index: number): string =>
  events.map((event) => (event.kind === 'text' && event.index === index ? event.text : '')).join('');

export type Finished = EngineEvent & { readonly kind: 'finished' };

/** The only one of a request. */
export function finishedOf(events: readonly EngineEvent[], id = 'r'): Finished {
  const found = events.filter((event): event is Finished => event.kind === 'finished' && event.id === id);
  expect(found).toHaveLength(1);
  return found[0]!;
}

/** Steps until nothing is left to do. */
export async function drain(engine: Engine, stepsMax = BUSY): Promise<readonly EngineEvent[]> {
  const events: EngineEvent[] = [];
  for (let steps = 0; !engine.idle; steps++) {
    if (steps === stepsMax) throw new Error(`the engine is busy after ${stepsMax} steps`);
    events.push(...(await engine.step()));
  }
  return events;
}

/** The events of a request that has an engine to itself. */
export async function runAlone(
  request: EngineRequest,
  prefillTokensMax = 16,
): Promise<readonly EngineEvent[]> {
  const positions = request.prompt.length + request.tokensMax;
  const runner = new ScriptedRunner({ slots: candidatesOf(request), positions });
  const limits = { queueMax: 0, prefillTokensMax, chunkTokens: prefillTokensMax };
  const engine = new Engine({ runner, vocabulary: scriptedVocabulary }, limits);
  engine.submit(request);
  return drain(engine);
}

/**
 * Index of the runner-up that had to give way or was lost otherwise, or null: what became of a request may differ by it
 * from what becomes of the request alone, and by nothing else.
 */
export function lostRunnerUp(events: readonly EngineEvent[]): number | null {
  const end = events.find((event): event is Finished => event.kind === 'finished');
  const index = end?.race?.checkpoints.at(-1)?.kept.find((kept) => kept !== end.shown);
  if (end?.race?.commit === null || index === undefined) return null;
  const candidate = end?.candidates.find((one) => one.index === index);
  if (candidate?.finishReason !== 'dropped') return null;
  const followed = events.find((event) => event.kind === 'alternative');
  return followed?.kind === 'alternative' && followed.candidate !== null ? null : index;
}

/** The events without what a lost runner-up changes: itself, whether more follows, and what is judged beside it. */
export function withoutRunnerUp(events: readonly EngineEvent[], index: number): readonly unknown[] {
  return events
    .filter(({ kind }) => kind !== 'alternative')
    .map((event) => {
      if (event.kind !== 'finished') return event;
      const others = event.candidates.filter((candidate) => candidate.index !== index);
      return { ...event, hasMore: null, candidates: others.map((one) => ({ ...one, verdict: null })) };
    });
}

/** The last event of each request, and the text that was streamed before it: of the shown candidate, or the first of all. */
export function outcomes(events: readonly EngineEvent[]): Map<string, { text: string; last: EngineEvent }> {
  const byId = new Map<string, { text: string; last: EngineEvent }>();
  for (const event of events) {
    const text = byId.get(event.id)?.text ?? '';
    const isShown = event.kind === 'text' && event.index === shownOf(events, event.id);
    byId.set(event.id, { text: isShown ? text + event.text : text, last: event });
  }
  return byId;
}

function shownOf(events: readonly EngineEvent[], id: string): number {
  const end = events.find((event) => event.kind === 'finished' && event.id === id);
  return (end?.kind === 'finished' ? end.shown : null) ?? 0;
}
