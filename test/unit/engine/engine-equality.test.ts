/**
 * What the engine writes, compared: with a plain loop over the model that knows no slots and no batch, and
 * with itself when every request has an engine to itself.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Detokenizer } from '../../../src/engine/detokenizer.ts';
import { Engine } from '../../../src/engine/engine.ts';
import type { Candidate, EngineEvent, EngineRequest } from '../../../src/engine/request.ts';
import { Sampler } from '../../../src/engine/sampler.ts';
import { ReplyText } from '../../../src/engine/stopping.ts';
import { candidatesOf, createRace, drain, outcomes, runAlone } from '../../support/engine-drive.ts';
import {
  digestOf,
  END,
  SCRIPTED_TOP_K,
  ScriptedRunner,
  scriptedLogits,
  scriptedVocabulary,
} from '../../support/scripted-runner.ts';

/** One candidate, computed from all its tokens at each step. */
function writePlainly(request: EngineRequest, index: number): Candidate {
  const sampler = new Sampler(SCRIPTED_TOP_K);
  const written: number[] = [];
  let logProb = 0;
  const finish = (reply: ReplyText, finishReason: 'stop' | 'length'): Candidate => {
    reply.end();
    return { index, text: reply.text, tokens: written.length, finishReason, logProb, verdict: null };
  };
  for (;;) {
    const logits = scriptedLogits(digestOf([...request.prompt, ...written]), false);
    const place = { sampling: request.sampling, index, generated: written.length, written: new Set(written) };
    sampler.sample(logits, place);
    written.push(sampler.token);
    logProb += sampler.logProb;
    const bytes = written.flatMap((id) => [...scriptedVocabulary.tokenBytes(id)]);
    const reply = new ReplyText(request.stop);
    reply.push(new Detokenizer().push(Uint8Array.from(bytes)));
    if (sampler.token === END || reply.isStopped) return finish(reply, 'stop');
    if (written.length === request.tokensMax) return finish(reply, 'length');
  }
}

const anyToken = fc.integer({ min: 3, max: scriptedVocabulary.size - 1 });
const anyRequest = fc.record({
  prompt: fc.array(anyToken, { minLength: 1, maxLength: 24 }).map((tokens) => Int32Array.from(tokens)),
  selection: fc.record({ kind: fc.constant('all' as const), candidates: fc.integer({ min: 1, max: 3 }) }),
  tokensMax: fc.integer({ min: 1, max: 24 }),
  stop: fc.subarray(['Person A:', 'abc', 'b', '\n', ' a', '<|', 'Per']),
  sampling: fc.record({
    temperature: fc.constantFrom(0, 0.7, 1.3),
    topK: fc.integer({ min: 1, max: SCRIPTED_TOP_K }),
    topP: fc.constantFrom(0.5, 0.9, 1),
    repetitionPenalty: fc.constantFrom(1, 1.2),
    seed: fc.integer({ min: 0, max: 0xffffffff }),
  }),
});

test('every candidate is what a plain loop over the model writes', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, fc.integer({ min: 3, max: 30 }), async (parts, prefillTokensMax) => {
      const request = { id: 'r', ...parts };
      const events = await runAlone(request, prefillTokensMax);
      const expected = Array.from({ length: candidatesOf(request) }, (_, index) =>
        writePlainly(request, index),
      );
      const end = {
        kind: 'finished',
        id: 'r',
        shown: null,
        candidates: expected,
        race: null,
        hasMore: false,
      };
      expect(events.at(-1)).toEqual(end);
      expect(outcomes(events).get('r')?.text).toBe(expected[0]?.text);
    }),
    { seed: 42, numRuns: 150 },
  );
});

test('the candidate that is shown is the same however many others are made', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, async (parts) => {
      const streamed = async (candidates: number) =>
        outcomes(await runAlone({ id: 'r', ...parts, selection: { kind: 'all', candidates } })).get('r')
          ?.text;
      expect(await streamed(4)).toBe(await streamed(1));
    }),
    { seed: 42, numRuns: 50 },
  );
});

test('requests that join one another at any step yield the events they yield alone', async () => {
  const anyArrivals = fc.array(fc.record({ request: anyRequest, afterSteps: fc.nat(6) }), {
    minLength: 2,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(anyArrivals, fc.integer({ min: 3, max: 8 }), async (arrivals, slots) => {
      const runner = new ScriptedRunner({ slots, positions: 64 });
      const limits = { queueMax: 8, prefillTokensMax: 12, chunkTokens: 5 };
      const engine = new Engine({ runner, vocabulary: scriptedVocabulary }, limits);
      const requests = arrivals.map(({ request }, index) => ({ ...request, id: `${index}` }));
      const events: EngineEvent[] = [];
      for (const [index, { afterSteps }] of arrivals.entries()) {
        for (let steps = 0; steps < afterSteps; steps++) events.push(...(await engine.step()));
        expect(engine.submit(requests[index]!)).toBe('accepted');
      }
      events.push(...(await drain(engine)));
      expect(runner.violations).toEqual([]);
      for (const request of requests) {
        const alone = outcomes(await runAlone(request, 12)).get(request.id);
        expect(outcomes(events).get(request.id)).toEqual(alone);
      }
    }),
    { seed: 42, numRuns: 60 },
  );
});

test('ten candidates that race write what a plain loop writes, each its own', async () => {
  const plan = { candidates: 10, commitTokens: null };
  await fc.assert(
    fc.asyncProperty(anyRequest, async (parts) => {
      const request = { id: 'r', ...parts, selection: createRace(plan, ({ logProb }) => logProb) };
      const end = (await runAlone(request, 12)).at(-1);
      const expected = Array.from({ length: 10 }, (_, index) => writePlainly(request, index));
      const plain = (candidate: Candidate) => ({ ...candidate, verdict: null });
      expect(end?.kind === 'finished' && end.candidates.map(plain)).toEqual(expected);
    }),
    { seed: 42, numRuns: 40 },
  );
});

test('races of ten that join one another at any step go as they go alone, in every event', async () => {
  const anyPlan = fc.record({
    checkpoints: fc.constantFrom([], [{ tokens: 2, keep: 5 }], [{ tokens: 3, keep: 4 }]),
    commitTokens: fc.constantFrom(0, 4, 8, null),
    exploration: fc.record({ probability: fc.constantFrom(0, 0.5), temperature: fc.constant(0.5) }),
  });
  const anyArrivals = fc.array(fc.record({ parts: anyRequest, plan: anyPlan, afterSteps: fc.nat(6) }), {
    minLength: 2,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(anyArrivals, async (arrivals) => {
      // Room for all: no runner-up has to give way.
      const runner = new ScriptedRunner({ slots: 50, positions: 64 });
      const limits = { queueMax: 8, prefillTokensMax: 12, chunkTokens: 5 };
      const engine = new Engine({ runner, vocabulary: scriptedVocabulary }, limits);
      const requests = arrivals.map(({ parts, plan }, index) => ({
        ...parts,
        id: `${index}`,
        selection: createRace(
          { ...plan, candidates: 10 },
          ({ text, logProb }) => logProb + (text.length % 7),
        ),
      }));
      const events: EngineEvent[] = [];
      for (const [index, { afterSteps }] of arrivals.entries()) {
        for (let steps = 0; steps < afterSteps; steps++) events.push(...(await engine.step()));
        engine.submit(requests[index]!);
      }
      events.push(...(await drain(engine)));
      expect(runner.violations).toEqual([]);
      for (const request of requests) {
        expect(events.filter(({ id }) => id === request.id)).toEqual(await runAlone(request, 12));
      }
    }),
    { seed: 42, numRuns: 40 },
  );
});
