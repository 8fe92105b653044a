/** A race in the engine: what is held back, what streams, whose rows are free when, and what is recorded. */
import { describe, expect, test } from 'vitest';
import type { Contender } from '../../../src/engine/request.ts';
import { uniformAt } from '../../../src/engine/uniform.ts';
import {
  createEngine,
  createRace,
  createRequest,
  drain,
  finishedOf,
  judgeEach,
  racePlan,
  runAlone,
  stepAll,
  textOf,
} from '../../support/engine-drive.ts';
import { scriptedVocabulary } from '../../support/scripted-runner.ts';

describe('until the commit', () => {
  test('nothing is shown; the text so far comes at once, and the rest as it is written', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest({ selection: createRace(), tokensMax: 20 }));
    const steps = await stepAll(engine);
    const before = steps.slice(0, 5).flatMap(({ events }) => events);
    expect(before).toEqual([{ kind: 'started', id: 'r', promptTokens: 3, candidates: 4, level: 1 }]);
    const events = steps.flatMap((step) => step.events);
    const { shown, candidates } = finishedOf(events);
    expect(shown).toBe(3);
    const text = candidates.find(({ index }) => index === shown)!.text;
    expect(text).not.toBe('');
    expect(textOf(events, 3)).toBe(text);
    expect(events.every((event) => event.kind !== 'text' || event.index === 3)).toBe(true);
    const steppedText = steps.filter((step) => step.events.some(({ kind }) => kind === 'text'));
    expect(steppedText.length).toBeGreaterThan(5);
  });

  test('rows are free in the step in which a checkpoint drops their candidates', async () => {
    const { engine, runner } = createEngine();
    const checkpoints = [
      { tokens: 2, keep: 7 },
      { tokens: 4, keep: 3 },
    ];
    engine.submit(createRequest({ selection: createRace({ candidates: 10, checkpoints }) }));
    const steps = await stepAll(engine);
    // 12 tokens: the first comes with the prompt, at 6 one of three is dropped, both others end with the last.
    expect(steps.map(({ rows }) => rows)).toEqual([10, 7, 7, 3, 3, 2, 2, 2, 2, 2, 2, 0]);
    expect(engine.snapshot()).toMatchObject({ slotsTakenTotal: 10, slotsFreedTotal: 10 });
    expect(runner.violations).toEqual([]);
  });

  test('all of it is recorded, and each candidate keeps the last word on it', async () => {
    const plan = { level: 2, candidates: 3, checkpoints: [{ tokens: 2, keep: 2 }], commitTokens: 4 };
    const rule = ({ index, tokens }: Contender) =>
      index === 0 ? (tokens > 2 ? 'loop' : 5) : index + tokens / 100;
    const events = await runAlone(
      createRequest({
        selection: createRace(plan, rule),
        tokensMax: 6,
        sampling: { ...createRequest().sampling, seed: 7 },
      }),
    );
    const { race, candidates, shown, hasMore } = finishedOf(events);
    expect(race).toEqual({
      level: 2,
      candidates: 3,
      checkpoints: [
        {
          tokens: 2,
          alive: [
            { index: 0, score: 5, filterReason: null },
            { index: 1, score: 1.02, filterReason: null },
            { index: 2, score: 2.02, filterReason: null },
          ],
          kept: [0, 2],
        },
        {
          tokens: 4,
          alive: [
            { index: 0, score: 0, filterReason: 'loop' },
            { index: 2, score: 2.04, filterReason: null },
          ],
          kept: [2],
        },
      ],
      commit: { index: 2, tokens: 4, isExplored: false, propensity: 1 },
    });
    expect({ shown, hasMore }).toEqual({ shown: 2, hasMore: false });
    expect(candidates.map(({ index, finishReason, tokens }) => ({ index, finishReason, tokens }))).toEqual([
      { index: 0, finishReason: 'dropped', tokens: 4 },
      { index: 1, finishReason: 'dropped', tokens: 2 },
      { index: 2, finishReason: 'length', tokens: 6 },
    ]);
    expect(candidates.map(({ verdict }) => verdict)).toEqual([
      { score: 0, features: { tokens: 4 }, filterReason: 'loop' },
      { score: 1.02, features: { tokens: 2 }, filterReason: null },
      { score: 2.06, features: { tokens: 6 }, filterReason: null },
    ]);
  });

  test('nobody is judged between the checkpoints', async () => {
    const judged: number[] = [];
    const judge = judgeEach(({ index, tokens }) => {
      if (index === 3) judged.push(tokens);
      return index;
    });
    const plan = { ...racePlan, checkpoints: [{ tokens: 3, keep: 2 }], runnerUp: false };
    const { engine } = createEngine();
    engine.submit(createRequest({ selection: { kind: 'race', plan: () => plan, judge } }));
    await drain(engine);
    expect(judged).toEqual([3, 6, 12]);
  });
});

describe('a commit', () => {
  test('of a single candidate is there before its first token, and judges only what it wrote', async () => {
    for (const plan of [
      { candidates: 1, commitTokens: 6 },
      { candidates: 4, commitTokens: 0 },
    ]) {
      const { engine } = createEngine();
      const judged: string[] = [];
      const rule = ({ text }: Contender) => {
        judged.push(text);
        return 0;
      };
      engine.submit(createRequest({ selection: createRace(plan, rule) }));
      const raced = await stepAll(engine);
      engine.submit(createRequest());
      const plain = await stepAll(engine);
      const texts = (steps: typeof raced) =>
        steps.map(({ events }) => events.filter(({ kind }) => kind === 'text'));
      expect(texts(raced)).toEqual(texts(plain));
      const { race, shown, candidates } = finishedOf(raced.flatMap(({ events }) => events));
      expect({ race, shown }).toEqual({
        race: {
          level: 1,
          candidates: 1,
          checkpoints: [],
          commit: { index: 0, tokens: 0, isExplored: false, propensity: 1 },
        },
        shown: 0,
      });
      expect(judged).toEqual([candidates[0]!.text]);
    }
  });

  test('comes when all have ended where the plan says so, and all of the text with it', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest({ selection: createRace({ commitTokens: null }) }));
    const steps = await stepAll(engine);
    const last = steps.at(-1)!.events;
    expect(steps.slice(1, -1).flatMap(({ events }) => events)).toEqual([]);
    expect(last.map(({ kind }) => kind)).toEqual(['text', 'finished']);
    const { candidates, shown, hasMore } = finishedOf(last);
    expect(textOf(last, 3)).toBe(candidates[3]!.text);
    expect({ shown, hasMore }).toEqual({ shown: 3, hasMore: false });
    expect(candidates.map(({ finishReason }) => finishReason)).toEqual([
      'length',
      'length',
      'length',
      'length',
    ]);
  });

  test('does not wait for tokens that nobody will write', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest({ selection: createRace({ commitTokens: 60 }), tokensMax: 5 }));
    const { race } = finishedOf(await drain(engine));
    expect(race?.commit).toMatchObject({ index: 3, tokens: 5 });
  });

  test('comes early where one leads by enough', async () => {
    const checkpoints = [{ tokens: 2, keep: 4 }];
    const lead = async (leadToCommit: number) => {
      const { engine } = createEngine();
      engine.submit(createRequest({ selection: createRace({ checkpoints, leadToCommit }) }));
      return finishedOf(await drain(engine)).race!.commit!.tokens;
    };
    expect([await lead(1), await lead(1.5)]).toEqual([2, 6]);
  });

  test('explores as the seed says: the same one again, others for other seeds', async () => {
    const exploration = { probability: 0.5, temperature: 10 };
    const commitOf = async (seed: number) => {
      const { engine } = createEngine();
      const { sampling } = createRequest();
      const selection = createRace({ exploration, runnerUp: false });
      engine.submit(createRequest({ selection, tokensMax: 7, sampling: { ...sampling, seed } }));
      return finishedOf(await drain(engine)).race!.commit!;
    };
    const commits = await Promise.all(Array.from({ length: 80 }, (_, seed) => commitOf(seed)));
    expect(new Set(commits.map(({ index }) => index)).size).toBe(4);
    const explored = commits.filter(({ isExplored }) => isExplored).length;
    expect(explored).toBeGreaterThan(25);
    expect(explored).toBeLessThan(55);
    expect(await commitOf(11)).toEqual(commits[11]);
    // Nor is it the draw of a candidate's first token, which would tie what is explored to what was written.
    for (const stream of [0, 1, 2, 3]) {
      expect(commits.some(({ isExplored }, seed) => isExplored !== uniformAt(seed, stream, 0) < 0.5)).toBe(
        true,
      );
    }
  });

  test('is of nobody where all are filtered: nothing is shown, and everybody can see why', async () => {
    const { engine } = createEngine();
    const plan = { checkpoints: [{ tokens: 2, keep: 2 }] };
    const rule = ({ index, tokens }: Contender) => (tokens > 2 ? 'leak' : index);
    engine.submit(createRequest({ selection: createRace(plan, rule) }));
    const steps = await stepAll(engine);
    const events = steps.flatMap((step) => step.events);
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'finished']);
    expect(steps.at(-1)?.rows).toBe(0);
    const { shown, hasMore, race, candidates } = finishedOf(events);
    expect({ shown, hasMore, commit: race?.commit }).toEqual({ shown: null, hasMore: false, commit: null });
    expect(race?.checkpoints.at(-1)?.kept).toEqual([]);
    expect(candidates.map(({ finishReason }) => finishReason)).toEqual(new Array(4).fill('dropped'));
    expect(candidates.map(({ verdict }) => verdict?.filterReason)).toEqual([null, null, 'leak', 'leak']);
  });

  test('counts those that have ended: they are judged, may win, and stay finished candidates', async () => {
    let won = 0;
    let stayed = 0;
    for (let seed = 0; seed < 40; seed++) {
      const { sampling } = createRequest();
      const rule = ({ isEnded, index }: Contender) => (seed % 2 === 0 && isEnded ? 10 : 0) + index;
      const request = createRequest({ selection: createRace({}, rule), sampling: { ...sampling, seed } });
      const { engine } = createEngine({ vocabulary: scriptedVocabulary });
      engine.submit(request);
      const { race, candidates, shown } = finishedOf(await drain(engine));
      const ended = candidates.filter(({ tokens, finishReason }) => finishReason === 'stop' && tokens < 6);
      if (race?.commit?.tokens !== 6 || ended.length === 0) continue;
      if (seed % 2 === 0) {
        expect(ended.map(({ index }) => index)).toContain(shown);
        won++;
      } else if (ended.some(({ index }) => index !== shown)) stayed++;
    }
    expect(won).toBeGreaterThan(2);
    expect(stayed).toBeGreaterThan(2);
  });
});

describe('text that was written before', () => {
  test('is continued by all candidates and not told again', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest({ selection: createRace(), written: 'Once more' }));
    const events = await drain(engine);
    const { candidates } = finishedOf(events);
    expect(candidates.every(({ text }) => text.startsWith('Once more'))).toBe(true);
    expect(`Once more${textOf(events, 3)}`).toBe(candidates[3]?.text);
    expect(candidates[3]?.tokens).toBe(12);
  });
});
