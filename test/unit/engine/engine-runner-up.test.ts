/** The runner-up of a race: written to its end beside the reply or after it, and the first to give way. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Contender, EngineEvent, EngineRequest } from '../../../src/engine/request.ts';
import {
  createEngine,
  createRace,
  createRequest,
  drain,
  finishedOf,
  judgeEach,
  racePlan,
  runAlone,
  sampling,
  stepAll,
  textOf,
} from '../../support/engine-drive.ts';
import { scriptedVocabulary } from '../../support/scripted-runner.ts';

const vocabulary = scriptedVocabulary;
const ofRequest = (events: readonly EngineEvent[], id: string) => events.filter((event) => event.id === id);

/** The first seed whose race goes as `isWanted` says. */
async function findRequest(
  isWanted: (events: readonly EngineEvent[]) => boolean,
  overrides: Parameters<typeof createRequest>[0] = {},
): Promise<EngineRequest> {
  for (let seed = 0; seed < 500; seed++) {
    const parts = { selection: createRace(), tokensMax: 40, sampling: { ...sampling, seed } };
    const request = createRequest({ ...parts, ...overrides });
    if (isWanted(await runAlone(request))) return request;
  }
  throw new Error('no seed makes such a race');
}

/** Tokens that the runner-up writes after the end of the reply. */
function tokensBehind(events: readonly EngineEvent[]): number {
  const alternative = events.find((event) => event.kind === 'alternative');
  if (alternative?.kind !== 'alternative' || alternative.candidate === null) return 0;
  const { shown, candidates } = finishedOf(events);
  return alternative.candidate.tokens - candidates.find(({ index }) => index === shown)!.tokens;
}

/** Its runner-up writes at least eight tokens more than the one that is shown. */
let late: EngineRequest;
/** It shows at least eight tokens after the commit, and its runner-up ends first. */
let early: EngineRequest;
beforeAll(async () => {
  late = await findRequest((events) => tokensBehind(events) >= 8);
  early = await findRequest((events) => {
    const { shown, candidates, race, hasMore } = finishedOf(events);
    const [, second] = race?.checkpoints.at(-1)?.kept ?? [];
    const tokens = (index: number | null | undefined) =>
      candidates.find((one) => one.index === index)?.tokens ?? 0;
    return !hasMore && race?.commit?.tokens === 6 && tokens(second) > 7 && tokens(shown) > tokens(second) + 7;
  });
});

async function stepUntil(engine: Engine, kind: EngineEvent['kind']): Promise<readonly EngineEvent[]> {
  const all: EngineEvent[] = [];
  for (;;) {
    const events = (await stepAll(engine, 1)).flatMap((step) => step.events);
    all.push(...events);
    if (events.some((event) => event.kind === kind)) return all;
  }
}

describe('a runner-up that writes longer', () => {
  test('does not hold up the end of the reply, and follows as one alternative', async () => {
    const judged: (readonly Contender[])[] = [];
    const { selection } = late;
    if (selection.kind !== 'race') throw new Error('a race is wanted');
    const judge: typeof selection.judge = (contenders) => {
      judged.push(contenders);
      return selection.judge(contenders);
    };
    const { engine } = createEngine({ vocabulary });
    engine.submit({ ...late, selection: { ...selection, judge } });
    const events = await stepUntil(engine, 'finished');
    const { shown, candidates, hasMore } = finishedOf(events);
    expect({ shown, hasMore }).toEqual({ shown: 3, hasMore: true });
    expect(candidates.find(({ index }) => index === 2)).toMatchObject({ finishReason: 'dropped' });
    expect(engine.snapshot()).toMatchObject({ rowsDecoding: 1, requestsRunning: 1 });
    expect(engine.idle).toBe(false);
    expect(() => engine.submit(late)).toThrow('the id is in use');

    const rest = (await stepAll(engine)).flatMap((step) => step.events);
    expect(rest).toHaveLength(1);
    const [alternative] = rest;
    if (alternative?.kind !== 'alternative' || alternative.candidate === null) throw new Error('none came');
    const { candidate } = alternative;
    const soFar = candidates.find(({ index }) => index === 2)!;
    expect(candidate).toMatchObject({ index: 2, finishReason: expect.stringMatching(/stop|length/) });
    expect(candidate.text.startsWith(soFar.text)).toBe(true);
    expect(candidate.verdict).toEqual({
      score: 2,
      features: { tokens: candidate.tokens },
      filterReason: null,
    });
    expect(judged.at(-1)?.map(({ index, isEnded }) => ({ index, isEnded }))).toEqual([
      { index: 3, isEnded: true },
      { index: 2, isEnded: true },
    ]);
    expect(engine.submit(late)).toBe('accepted');
  });

  test('is lost by a cancel, which changes nothing else', async () => {
    const { engine } = createEngine({ vocabulary });
    engine.submit(late);
    await stepUntil(engine, 'finished');
    engine.cancel(late.id);
    const steps = await stepAll(engine);
    expect(steps).toEqual([{ events: [{ kind: 'alternative', id: 'r', candidate: null }], rows: 0 }]);
  });

  test('is lost by a pass that fails, and not the reply with it', async () => {
    let isFailing = false;
    const onPass = () => {
      if (isFailing) throw new Error('out of memory');
    };
    const { engine } = createEngine({ vocabulary, onPass });
    engine.submit(late);
    await stepUntil(engine, 'finished');
    isFailing = true;
    const steps = await stepAll(engine);
    expect(steps).toEqual([{ events: [{ kind: 'alternative', id: 'r', candidate: null }], rows: 0 }]);
  });

  test('is lost by a judge that fails on it', async () => {
    const { selection } = late;
    if (selection.kind !== 'race') throw new Error('a race is wanted');
    let calls = 0;
    const judge: typeof selection.judge = (contenders) => {
      calls++;
      // The commit, the end of the reply, the end of the runner-up.
      if (calls === 3) throw new Error('broken');
      return selection.judge(contenders);
    };
    const { engine } = createEngine({ vocabulary });
    engine.submit({ ...late, selection: { ...selection, judge } });
    const events = await drain(engine);
    expect(events.at(-1)).toEqual({ kind: 'alternative', id: 'r', candidate: null });
    expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
  });
});

describe('a runner-up that ends first', () => {
  test('is a candidate like others when the reply ends, and nothing follows', async () => {
    const events = await runAlone(early);
    const { candidates, shown, hasMore } = finishedOf(events);
    expect({ shown, hasMore, last: events.at(-1)?.kind }).toEqual({
      shown: 3,
      hasMore: false,
      last: 'finished',
    });
    const second = candidates.find(({ index }) => index === 2)!;
    expect(second.finishReason).toMatch(/stop|length/);
    expect(second.verdict).toEqual({ score: 2, features: { tokens: second.tokens }, filterReason: null });
  });

  test('or that has ended before the commit frees the others at once', async () => {
    const request = await findRequest((events) => {
      const { race, candidates } = finishedOf(events);
      const [, second] = race?.checkpoints.at(-1)?.kept ?? [];
      const tokens = candidates.find(({ index }) => index === second)?.tokens ?? 99;
      return race?.commit?.tokens === 6 && tokens < 6 && candidates[3]!.tokens > 9;
    });
    const { engine } = createEngine({ vocabulary });
    engine.submit(request);
    const steps = await stepAll(engine);
    expect(steps.slice(5).map(({ rows }) => rows)).toEqual([...new Array(steps.length - 6).fill(1), 0]);
    expect(finishedOf(steps.flatMap(({ events }) => events)).hasMore).toBe(false);
  });
});

test('there is no runner-up where the plan wants none, or where all wrote the same', async () => {
  for (const overrides of [
    { selection: createRace({ runnerUp: false }) },
    { selection: createRace(), sampling: { ...sampling, temperature: 0 } },
  ]) {
    const { engine } = createEngine();
    engine.submit(createRequest({ tokensMax: 12, ...overrides }));
    const steps = await stepAll(engine);
    expect(steps.slice(5).map(({ rows }) => rows)).toEqual([1, 1, 1, 1, 1, 1, 0]);
    expect(steps.at(-1)?.events.at(-1)).toMatchObject({ kind: 'finished', hasMore: false });
  }
});

describe('for want of rows', () => {
  const longRace = (id: string, seed: number) =>
    createRequest({
      id,
      selection: createRace({ candidates: 2 }),
      tokensMax: 30,
      sampling: { ...sampling, seed },
    });

  /** Two races after their commit fill four slots. */
  async function fillFour(queueMax = 8) {
    const { engine, runner } = createEngine({ slots: 4, queueMax });
    engine.submit(longRace('first', 1));
    await stepAll(engine, 1);
    engine.submit(longRace('second', 2));
    await stepAll(engine, 9);
    expect(engine.snapshot()).toMatchObject({ rowsDecoding: 4, requestsRunning: 2, slotsFree: 0 });
    const runnerUps = () =>
      engine
        .snapshot()
        .sequences.filter(({ role, end }) => role === 'runner_up' && end === null)
        .map(({ requestId }) => requestId);
    expect(runnerUps()).toEqual(['first', 'second']);
    return { engine, runner, runnerUps };
  }

  test('the runner-up of the latest start goes first, for a request that then starts in the same step', async () => {
    const { engine, runner, runnerUps } = await fillFour();
    expect(engine.submit(createRequest({ id: 'n' }))).toBe('accepted');
    const [step] = await stepAll(engine, 1);
    expect(step?.events.map(({ id, kind }) => `${id} ${kind}`)).toContain('n started');
    expect(runnerUps()).toEqual(['first']);
    const events = await drain(engine);
    const second = finishedOf(events, 'second');
    expect(second.hasMore).toBe(false);
    expect(second.candidates.find(({ index }) => index === 0)).toMatchObject({ finishReason: 'dropped' });
    expect(runner.violations).toEqual([]);
  });

  test('as many go as are needed, and none for a request that would not start even so', async () => {
    const two = await fillFour();
    two.engine.submit(createRequest({ id: 'n', candidates: 2 }));
    await stepAll(two.engine, 1);
    expect(two.runnerUps()).toEqual([]);
    const three = await fillFour();
    three.engine.submit(createRequest({ id: 'n', candidates: 3 }));
    await stepAll(three.engine, 1);
    expect(three.runnerUps()).toEqual(['first', 'second']);
  });

  test('their rows count as free where it is asked whether there is room', async () => {
    const { engine } = await fillFour(0);
    const submit = (id: string) => engine.submit(createRequest({ id }));
    expect([...'abc'].map(submit)).toEqual(['accepted', 'accepted', 'queue_full']);
  });

  test('the one that gives way after the reply has ended says so, and its neighbours do not notice', async () => {
    const { engine } = createEngine({ slots: 4, vocabulary });
    engine.submit(late);
    await stepUntil(engine, 'finished');
    const neighbour = createRequest({ id: 'n', candidates: 4, sampling: { ...sampling, seed: 5 } });
    engine.submit(neighbour);
    const events = await drain(engine);
    expect(ofRequest(events, 'r')).toEqual([{ kind: 'alternative', id: 'r', candidate: null }]);
    expect(ofRequest(events, 'n')).toEqual(await runAlone(neighbour));
  });
});

describe('a cancel', () => {
  test('before the commit leaves nothing shown, and frees all rows in the next step', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest({ selection: createRace({ checkpoints: [{ tokens: 2, keep: 3 }] }) }));
    await stepAll(engine, 4);
    engine.cancel('r');
    const [step, ...rest] = await stepAll(engine);
    expect(rest).toEqual([]);
    expect(step?.rows).toBe(0);
    const { shown, race, hasMore, candidates } = finishedOf(step!.events);
    expect(step?.events).toHaveLength(1);
    expect({ shown, commit: race?.commit, hasMore }).toEqual({ shown: null, commit: null, hasMore: false });
    expect(candidates.map(({ finishReason, tokens }) => `${finishReason} ${tokens}`)).toEqual([
      'dropped 2',
      'cancelled 4',
      'cancelled 4',
      'cancelled 4',
    ]);
  });

  test('after the commit keeps what was shown, and drops the runner-up', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest({ selection: createRace() }));
    const before = (await stepAll(engine, 9)).flatMap(({ events }) => events);
    engine.cancel('r');
    const [step, ...rest] = await stepAll(engine);
    expect(rest).toEqual([]);
    expect(step?.rows).toBe(0);
    const { shown, hasMore, candidates } = finishedOf(step!.events);
    expect({ shown, hasMore }).toEqual({ shown: 3, hasMore: false });
    expect(candidates[3]).toMatchObject({ finishReason: 'cancelled', tokens: 9, text: textOf(before, 3) });
    expect(candidates[2]).toMatchObject({ finishReason: 'dropped', tokens: 9 });
    expect(candidates[3]?.verdict).toMatchObject({ score: 3, features: { tokens: 9 } });
  });

  test('while it waits ends it without a race', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest({ selection: createRace() }));
    engine.cancel('r');
    expect(await drain(engine)).toEqual([
      { kind: 'finished', id: 'r', shown: null, candidates: [], race: null, hasMore: false },
    ]);
  });

  test('at any step leaves the races of others byte-identical', async () => {
    const ids = ['a', 'b', 'c'];
    const raceOf = (id: string) =>
      createRequest({
        id,
        prompt: Int32Array.of(3, 4, id.charCodeAt(0) % 30),
        selection: {
          kind: 'race',
          plan: () => ({ ...racePlan, candidates: 10, checkpoints: [{ tokens: 3, keep: 4 }] }),
          judge: judgeEach(({ text, logProb, tokens }) => logProb / Math.max(1, tokens) + (text.length % 3)),
        },
        tokensMax: 20,
      });
    for (let at = 1; at < 16; at++) {
      const { engine, runner } = createEngine({ slots: 30, vocabulary });
      for (const id of ids) engine.submit(raceOf(id));
      const events = (await stepAll(engine, at)).flatMap((step) => step.events);
      engine.cancel('b');
      events.push(...(await stepAll(engine)).flatMap((step) => step.events));
      for (const id of ['a', 'c']) expect(ofRequest(events, id)).toEqual(await runAlone(raceOf(id)));
      expect(runner.violations).toEqual([]);
    }
  });
});
