/** Races in trouble: plans and judges that make no sense, logits that are not finite, passes that fail. */
import { describe, expect, test } from 'vitest';
import type { Contender, EngineEvent } from '../../../src/engine/request.ts';
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
} from '../../support/engine-drive.ts';
import { POISON, scriptedVocabulary } from '../../support/scripted-runner.ts';

describe('a plan', () => {
  test('is asked for again while a request waits, and for the last time when it starts', async () => {
    let candidates = 4;
    let asked = 0;
    const plan = () => {
      asked++;
      return { ...racePlan, candidates, commitTokens: 3 };
    };
    const { engine } = createEngine({ slots: 5 });
    engine.submit(createRequest({ id: 'first', candidates: 4 }));
    engine.submit(createRequest({ id: 'r', selection: { kind: 'race', plan, judge: judgeEach(() => 0) } }));
    await engine.step();
    expect(engine.snapshot()).toMatchObject({ requestsWaiting: 1, rowsDecoding: 4 });
    candidates = 1;
    const started = (await engine.step()).find(({ kind }) => kind === 'started');
    expect(started).toMatchObject({ id: 'r', candidates: 1 });
    const askedAtStart = asked;
    await drain(engine);
    expect(asked).toBe(askedAtStart);
  });

  test('for more candidates than there are slots is cut; to show so many is refused', async () => {
    const { engine } = createEngine({ slots: 3 });
    expect(engine.submit(createRequest({ id: 'all', candidates: 4 }))).toBe('unsupported_sampling');
    expect(engine.submit(createRequest({ selection: createRace({ candidates: 10 }) }))).toBe('accepted');
    const events = await drain(engine);
    expect(events[0]).toMatchObject({ kind: 'started', candidates: 3 });
    expect(finishedOf(events).race?.candidates).toBe(3);
  });

  test.each([
    {
      name: 'that throws',
      plan: () => {
        throw new Error('no level');
      },
      message: 'the race plan failed: no level',
    },
    {
      name: 'that makes no sense',
      plan: () => ({ ...racePlan, candidates: 0 }),
      message: /malformed: candidates/,
    },
  ])('$name fails its own request', async ({ plan, message }) => {
    const { engine } = createEngine({ vocabulary: scriptedVocabulary });
    const neighbour = createRequest({ id: 'n', selection: createRace() });
    engine.submit(createRequest({ id: 'r', selection: { kind: 'race', plan, judge: judgeEach(() => 0) } }));
    engine.submit(neighbour);
    const events = await drain(engine);
    expect(events.filter(({ id }) => id === 'r')).toEqual([
      { kind: 'failed', id: 'r', message: expect.stringMatching(message) },
    ]);
    expect(events.filter(({ id }) => id === 'n')).toEqual(await runAlone(neighbour));
  });
});

describe('a judge that makes no sense', () => {
  test.each([
    { name: 'throws at a checkpoint', failsAt: 3, message: 'the judge failed: broken' },
    { name: 'throws at the commit', failsAt: 6, message: 'the judge failed: broken' },
    { name: 'throws at the end', failsAt: 12, message: 'the judge failed: broken' },
    { name: 'scores NaN', failsAt: 3, message: 'the judge returned a score that is not finite' },
  ])('and $name fails its own request, in that step', async ({ name, failsAt, message }) => {
    const rule = ({ index, tokens }: Contender) => {
      if (tokens !== failsAt) return index;
      if (name === 'scores NaN') return Number.NaN;
      throw new Error('broken');
    };
    const { engine } = createEngine();
    const neighbour = createRequest({ id: 'n', candidates: 2, tokensMax: 30 });
    engine.submit(createRequest({ selection: createRace({ checkpoints: [{ tokens: 3, keep: 3 }] }, rule) }));
    engine.submit(neighbour);
    const steps = await stepAll(engine);
    const failing = steps.find(({ events }) => events.some(({ kind }) => kind === 'failed'))!;
    expect(failing.events.find(({ kind }) => kind === 'failed')).toEqual({
      kind: 'failed',
      id: 'r',
      message,
    });
    expect(failing.rows).toBe(2);
    const { engine: alone } = createEngine();
    alone.submit(neighbour);
    expect(steps.flatMap(({ events }) => events.filter(({ id }) => id === 'n'))).toEqual(await drain(alone));
  });
});

describe('logits that are not finite', () => {
  /** How poisoned races of short replies end, over many prompts and seeds. */
  async function poisoned(plan: Parameters<typeof createRace>[0]) {
    const ends: EngineEvent[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const request = createRequest({
        prompt: Int32Array.of(3, POISON, 6, 3 + (seed % 30)),
        selection: createRace({ runnerUp: false, ...plan }),
        tokensMax: 5,
        sampling: { ...sampling, seed },
      });
      const { engine } = createEngine();
      engine.submit(request);
      ends.push((await stepAll(engine)).flatMap(({ events }) => events).at(-1)!);
    }
    return {
      finished: ends.filter((end) => end.kind === 'finished'),
      failed: ends.filter((end) => end.kind === 'failed'),
    };
  }

  test('take one candidate out of the race, and the last one the request', async () => {
    const { finished, failed } = await poisoned({ candidates: 6, commitTokens: 4 });
    expect(finished.length).toBeGreaterThan(4);
    expect(failed.length).toBeGreaterThan(4);
    for (const { candidates, race, shown } of finished) {
      const indexes = candidates.map(({ index }) => index);
      expect(indexes).toContain(shown);
      expect(race?.candidates).toBe(6);
      for (const { alive } of race?.checkpoints ?? []) {
        expect(alive.every(({ index }) => indexes.includes(index))).toBe(true);
      }
    }
    expect(finished.some(({ candidates }) => candidates.length < 6)).toBe(true);
    const messages = new Set(failed.map(({ message }) => message));
    expect([...messages]).toEqual(['the model returned logits that are not finite']);
  });

  test('commit the one that is left at once, if it may be shown', async () => {
    const { finished } = await poisoned({ candidates: 3, commitTokens: 5 });
    const early = finished.filter(({ race }) => (race?.commit?.tokens ?? 5) < 5);
    expect(early.length).toBeGreaterThan(0);
    for (const { race } of early) expect(race?.checkpoints.at(-1)?.alive).toHaveLength(1);
  });

  test('fail the request where they come from the one that is shown', async () => {
    const { finished, failed } = await poisoned({ candidates: 1 });
    expect(failed.length).toBeGreaterThan(4);
    expect(finished.every(({ shown }) => shown === 0)).toBe(true);
  });

  test('leave a candidate out where all are shown, and fail only when all have failed', async () => {
    const counts = new Set<number | 'failed'>();
    for (let seed = 0; seed < 40; seed++) {
      const prompt = Int32Array.of(3, POISON, 6, 3 + (seed % 30));
      const request = createRequest({ prompt, candidates: 3, tokensMax: 4, sampling: { ...sampling, seed } });
      const end = (await runAlone(request)).at(-1)!;
      counts.add(end.kind === 'finished' ? end.candidates.length : 'failed');
    }
    expect(counts).toEqual(new Set([3, 2, 1, 'failed']));
  });
});

describe('a pass that fails', () => {
  const failsAt = (failing: number) => ({
    onPass: (_: unknown, pass: number) => {
      if (pass === failing) throw new Error('out of memory');
    },
  });

  test.each([
    { when: 'before the commit', failing: 4 },
    { when: 'after the commit', failing: 9 },
  ])('$when fails the race, and its rows are free', async ({ failing }) => {
    const { engine } = createEngine(failsAt(failing));
    engine.submit(createRequest({ selection: createRace() }));
    const steps = await stepAll(engine);
    expect(steps).toHaveLength(failing + 1);
    expect(steps.at(-1)?.events).toEqual([{ kind: 'failed', id: 'r', message: 'out of memory' }]);
    expect(engine.snapshot()).toMatchObject({ slotsFree: 10, slotsTakenTotal: 4, slotsFreedTotal: 4 });
  });
});
