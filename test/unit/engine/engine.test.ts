/** The engine on a scripted runner: what a step does, who is touched by a failure, and what a request may expect. */
import { describe, expect, test } from 'vitest';
import { Engine } from '../../../src/engine/engine.ts';
import type { ModelRunner, Vocabulary } from '../../../src/engine/model-runner.ts';
import type { EngineEvent, EngineRequest } from '../../../src/engine/request.ts';
import { createRequest, drain, outcomes, runAlone, sampling } from '../../support/engine-drive.ts';
import {
  POISON,
  type ScriptedRow,
  ScriptedRunner,
  type ScriptedRunnerOptions,
  scriptedVocabulary,
} from '../../support/scripted-runner.ts';

const limits = { queueMax: 8, prefillTokensMax: 16, chunkTokens: 8 };

function createEngine(options: ScriptedRunnerOptions = {}, prefillTokensMax = limits.prefillTokensMax) {
  const runner = new ScriptedRunner(options);
  const engine = new Engine({ runner, vocabulary: scriptedVocabulary }, { ...limits, prefillTokensMax });
  return { runner, engine };
}

/** Requests c, d and e give replies of more than ten tokens: long enough to be interrupted. */
const longRequest = (id: string, overrides: Parameters<typeof createRequest>[0] = {}): EngineRequest =>
  createRequest({
    id,
    prompt: Int32Array.of(3, 4, 5, 6 + id.charCodeAt(0)),
    tokensMax: 40,
    sampling: { ...sampling, seed: id.charCodeAt(0) },
    ...overrides,
  });

const ofRequest = (events: readonly EngineEvent[], id: string) => events.filter((event) => event.id === id);
const kinds = (events: readonly EngineEvent[]) => events.map((event) => `${event.id} ${event.kind}`);
const rowsOf = (passes: readonly (readonly ScriptedRow[])[]) =>
  passes.map((rows) =>
    rows
      .map(({ kind, slot, position, tokens }) => `${kind[0]}${slot}@${position}x${tokens.length}`)
      .join(' '),
  );

describe('a step', () => {
  test('runs the batch, then the prompts, and lets the prompts into the batch of the next one', async () => {
    const { runner, engine } = createEngine();
    engine.submit(longRequest('c'));
    await engine.step();
    engine.submit(longRequest('d'));
    await engine.step();
    await engine.step();
    expect(rowsOf(runner.passes)).toEqual(['p0@0x4', 'd0@0x1', 'p1@0x4', 'd0@1x1 d1@0x1']);
  });

  test('tells that a request started, its text and its end, in that order', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest({ id: 'a', tokensMax: 6, candidates: 2 }));
    const events = await drain(engine);
    expect(events[0]).toEqual({ kind: 'started', id: 'a', promptTokens: 3, candidates: 2, level: null });
    expect(events.at(-1)?.kind).toBe('finished');
    expect(events.slice(1, -1).every(({ kind }) => kind === 'text')).toBe(true);
  });

  test('keeps running replies going while a long prompt is prefilled', async () => {
    const { runner, engine } = createEngine({}, 8);
    engine.submit(longRequest('c'));
    await engine.step();
    engine.submit(longRequest('d', { prompt: new Int32Array(30).fill(9) }));
    const before = runner.passes.length;
    for (let steps = 0; steps < 4; steps++) await engine.step();
    expect(rowsOf(runner.passes).slice(before)).toEqual([
      'd0@0x1',
      'p1@0x8',
      'd0@1x1',
      'p1@8x8',
      'd0@2x1',
      'p1@16x8',
      'd0@3x1',
      'p1@24x6',
    ]);
  });

  test('without work does nothing', async () => {
    const { runner, engine } = createEngine();
    expect(await engine.step()).toEqual([]);
    expect(runner.passes).toEqual([]);
  });

  test('refuses to run beside another one', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest());
    const running = engine.step();
    await expect(engine.step()).rejects.toThrow('a step is running');
    await running;
    expect(await engine.step()).toBeDefined();
  });
});

describe('submit', () => {
  test('refuses what does not fit, and keeps nothing of it', () => {
    const { engine } = createEngine({ positions: 16 });
    expect(engine.submit(createRequest({ prompt: new Int32Array(10) }))).toBe('prompt_too_long');
    expect(engine.submit(createRequest({ sampling: { ...sampling, topK: 17 } }))).toBe(
      'unsupported_sampling',
    );
    expect(engine.idle).toBe(true);
  });

  test('refuses when the queue is full, and accepts again when somebody has started', async () => {
    const { engine } = createEngine({ slots: 1 });
    const submit = (id: string) => engine.submit(longRequest(id));
    // One finds the free slot, eight wait.
    expect([...'abcdefgh'].map(submit)).toEqual(new Array(8).fill('accepted'));
    expect(submit('i')).toBe('queue_full');
    await engine.step();
    expect(engine.snapshot()).toMatchObject({ requestsWaiting: 7, requestsRunning: 1, slotsFree: 0 });
    expect([submit('i'), submit('j')]).toEqual(['accepted', 'queue_full']);
  });

  test('throws on an id that is in use, and on what no caller may send', async () => {
    const { engine } = createEngine();
    engine.submit(createRequest());
    expect(() => engine.submit(createRequest())).toThrow('the id is in use');
    expect(() => engine.submit(createRequest({ id: 'b', prompt: new Int32Array() }))).toThrow(
      'prompt is empty',
    );
    await drain(engine);
    expect(engine.submit(createRequest())).toBe('accepted');
  });
});

describe('cancel', () => {
  test('ends a running request with the text so far, and frees its slots for the same step', async () => {
    const { engine } = createEngine({ slots: 1 });
    engine.submit(longRequest('c'));
    engine.submit(longRequest('d'));
    const before = [...(await engine.step()), ...(await engine.step()), ...(await engine.step())];
    engine.cancel('c');
    const events = await engine.step();
    const text = outcomes(before).get('c')?.text;
    expect(kinds(events).slice(0, 2)).toEqual(['c finished', 'd started']);
    expect(events[0]).toMatchObject({
      shown: null,
      candidates: [{ text, tokens: 3, finishReason: 'cancelled' }],
    });
  });

  test('ends a waiting request without starting it', async () => {
    const { runner, engine } = createEngine();
    engine.submit(longRequest('c', { candidates: 2 }));
    engine.cancel('c');
    expect(await engine.step()).toEqual([
      {
        kind: 'finished',
        id: 'c',
        shown: null,
        candidates: [],
        race: null,
        hasMore: false,
      },
    ]);
    expect(engine.idle).toBe(true);
    expect(runner.passes).toEqual([]);
  });

  test('ends a request whose prompt is half done, and the prompts behind it go on', async () => {
    const { runner, engine } = createEngine({}, 8);
    engine.submit(longRequest('c', { prompt: new Int32Array(30).fill(9), candidates: 2 }));
    const other = createRequest({ id: 'd' });
    engine.submit(other);
    await engine.step();
    engine.cancel('c');
    const events = await drain(engine);
    expect(ofRequest(events, 'd')).toEqual(await runAlone(other, 8));
    expect(runner.violations).toEqual([]);
  });

  test('that comes during a pass takes effect with the next step', async () => {
    const { engine } = createEngine({ onPass: (_, pass) => pass === 1 && engine.cancel('c') });
    engine.submit(longRequest('c'));
    await engine.step();
    const during = await engine.step();
    expect(kinds(during)).not.toContain('c finished');
    expect(kinds(await engine.step())).toEqual(['c finished']);
  });

  test('of an unknown, ended or twice cancelled request does nothing', async () => {
    const { engine } = createEngine();
    engine.cancel('nobody');
    engine.submit(longRequest('c'));
    await engine.step();
    engine.cancel('c');
    engine.cancel('c');
    expect(kinds(await engine.step())).toEqual(['c finished']);
    engine.cancel('c');
    expect(engine.submit(longRequest('c'))).toBe('accepted');
    expect(kinds(await engine.step())).toContain('c started');
  });

  test('leaves the neighbours byte-identical', async () => {
    const run = async (cancelled: string | null) => {
      const { engine } = createEngine({ slots: 3 });
      for (const id of 'cde') engine.submit(longRequest(id));
      const events: EngineEvent[] = [];
      for (let steps = 0; !engine.idle; steps++) {
        if (steps === 4 && cancelled !== null) engine.cancel(cancelled);
        events.push(...(await engine.step()));
      }
      return events;
    };
    const undisturbed = await run(null);
    for (const cancelled of 'cde') {
      const events = await run(cancelled);
      expect(ofRequest(events, cancelled)).not.toEqual(ofRequest(undisturbed, cancelled));
      for (const id of [...'cde'].filter((other) => other !== cancelled)) {
        expect(ofRequest(events, id)).toEqual(ofRequest(undisturbed, id));
      }
    }
  });
});

describe('a pass that fails', () => {
  const failsAt = (failing: number) => ({
    onPass: (_: readonly ScriptedRow[], pass: number) => {
      if (pass === failing) throw new Error('out of memory');
    },
  });

  test('ends all of the batch and spares the prompt of the same step', async () => {
    // Passes: 0 and 1 the prompts of c and d, 2 the batch, 3 the prompt of e.
    const { engine } = createEngine(failsAt(2));
    engine.submit(longRequest('c'));
    engine.submit(longRequest('d'));
    await engine.step();
    const spared = longRequest('e');
    engine.submit(spared);
    const events = await drain(engine);
    expect(ofRequest(events, 'c')).toEqual([{ kind: 'failed', id: 'c', message: 'out of memory' }]);
    expect(ofRequest(events, 'd')).toEqual([{ kind: 'failed', id: 'd', message: 'out of memory' }]);
    expect(ofRequest(events, 'e')).toEqual(await runAlone(spared));
  });

  test.each([
    { failing: 1, hit: 'd' },
    { failing: 2, hit: 'e' },
    { failing: 3, hit: 'f' },
  ])('ends prompt $hit alone when it is pass $failing', async ({ failing, hit }) => {
    const { runner, engine } = createEngine(failsAt(failing), 64);
    for (const id of 'cdef')
      engine.submit(longRequest(id, { prompt: Int32Array.of(5, 6, id.charCodeAt(0)) }));
    const events = await drain(engine);
    for (const id of 'cdef') {
      const alone = await runAlone(longRequest(id, { prompt: Int32Array.of(5, 6, id.charCodeAt(0)) }), 64);
      const expected = id === hit ? [{ kind: 'failed', id, message: 'out of memory' }] : alone;
      expect(ofRequest(events, id)).toEqual(expected);
    }
    expect(runner.violations).toEqual([]);
  });

  test('leaves an engine that works', async () => {
    const { engine } = createEngine({ slots: 1, ...failsAt(3) });
    engine.submit(longRequest('c'));
    await drain(engine);
    expect(engine.snapshot()).toMatchObject({ slotsFree: 1, slotsTakenTotal: 1, slotsFreedTotal: 1 });
    engine.submit(longRequest('d'));
    expect(await drain(engine)).toEqual(await runAlone(longRequest('d')));
  });

  test('includes one that returns no logits where some are wanted', async () => {
    const scripted = new ScriptedRunner();
    const runner: ModelRunner = {
      limits: scripted.limits,
      prefill: async () => null,
      decode: async () => [],
      copyReply: () => {},
      copyPrompt: () => {},
      saveBlock: () => {},
      loadBlocks: () => {},
      scoreTokens: (tokens) => scripted.scoreTokens(tokens),
      [Symbol.asyncDispose]: async () => {},
    };
    const engine = new Engine({ runner, vocabulary: scriptedVocabulary }, limits);
    engine.submit(longRequest('c'));
    expect(kinds(await drain(engine))).toEqual(['c failed']);
  });
});

describe('a row that makes no sense', () => {
  const poisoned = (id: string, overrides: Parameters<typeof createRequest>[0] = {}) =>
    longRequest(id, { prompt: Int32Array.of(3, POISON, 6), ...overrides });

  test('fails its own request and no neighbour', async () => {
    const { engine } = createEngine();
    for (const id of 'cd') engine.submit(longRequest(id));
    engine.submit(poisoned('p'));
    engine.submit(longRequest('e'));
    const events = await drain(engine);
    expect(ofRequest(events, 'p').at(-1)).toEqual({
      kind: 'failed',
      id: 'p',
      message: 'the model returned logits that are not finite',
    });
    for (const id of 'cde') expect(ofRequest(events, id)).toEqual(await runAlone(longRequest(id)));
  });

  test('costs a request that candidate, unless it was the last one', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const request = poisoned('p', { candidates: 3, tokensMax: 4, sampling: { ...sampling, seed } });
      const last = (await runAlone(request)).at(-1);
      if (last?.kind === 'failed') seen.add('failed');
      if (last?.kind !== 'finished') continue;
      seen.add(`finished with ${last.candidates.length}`);
    }
    expect([...seen].sort()).toEqual(
      expect.arrayContaining(['failed', 'finished with 1', 'finished with 2']),
    );
  });

  test('also when its token is outside the vocabulary', async () => {
    const vocabulary: Vocabulary = { ...scriptedVocabulary, size: 3 };
    const engine = new Engine({ runner: new ScriptedRunner(), vocabulary }, limits);
    engine.submit(longRequest('c'));
    expect((await drain(engine)).at(-1)).toMatchObject({ kind: 'failed', message: /outside its vocabulary/ });
  });
});
