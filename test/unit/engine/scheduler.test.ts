/** What a step runs, from plain lists: no model, no cache. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkTokens, planStep, type StepPlan } from '../../../src/engine/scheduler.ts';
import { SequenceGroup } from '../../../src/engine/sequence-group.ts';
import { createRequest } from '../../support/engine-drive.ts';

function createGroup(id: string, promptTokens: number, { candidates = 1, cached = 0 } = {}): SequenceGroup {
  const prompt = new Int32Array(promptTokens).fill(3);
  const group = new SequenceGroup(createRequest({ id, prompt, candidates }));
  if (cached > 0) {
    group.begin();
    group.head.advance(cached);
  }
  return group;
}

/** A plan as short text: who starts, the chunks (with + where a rest is left), who decodes then. */
function describePlan({ starting, prompts, joining }: StepPlan, batch: readonly SequenceGroup[]) {
  const decoding = [...batch, ...joining].flatMap(({ request, slotsWanted }) =>
    Array.from({ length: slotsWanted }, (_, index) => `${request.id}/${index}`),
  );
  return {
    starting: starting.map(({ request }) => request.id),
    prompts: prompts.map(({ group, tokens, isLast }) => `${group.request.id}:${tokens}${isLast ? '' : '+'}`),
    decoding,
  };
}

interface Setting {
  readonly waiting?: readonly SequenceGroup[];
  readonly prefilling?: SequenceGroup;
  readonly decoding?: readonly SequenceGroup[];
  readonly slotsFree?: number;
  readonly prefillTokensMax?: number;
}

function plan(setting: Setting) {
  const { waiting = [], prefilling = null, decoding = [], slotsFree = 9, prefillTokensMax = 10 } = setting;
  return describePlan(planStep({ waiting, prefilling, slotsFree }, prefillTokensMax), decoding);
}

test('nothing to do makes an empty plan', () => {
  expect(plan({})).toEqual({ starting: [], prompts: [], decoding: [] });
});

test('prompts and the batch run in the same step', () => {
  expect(
    plan({ waiting: [createGroup('a', 8)], decoding: [createGroup('x', 5), createGroup('y', 5)] }),
  ).toEqual({
    starting: ['a'],
    prompts: ['a:8'],
    decoding: ['x/0', 'y/0'],
  });
});

test('several short prompts share the tokens of a step, in the order of arrival', () => {
  expect(plan({ waiting: [createGroup('a', 4), createGroup('b', 6), createGroup('c', 2)] })).toEqual({
    starting: ['a', 'b'],
    prompts: ['a:4', 'b:6'],
    decoding: [],
  });
});

test('a prompt that does not fit into the rest waits, and nobody overtakes it', () => {
  expect(plan({ waiting: [createGroup('a', 4), createGroup('b', 7), createGroup('c', 2)] }).starting).toEqual(
    ['a'],
  );
});

test('a long prompt runs in chunks and goes on before anything starts', () => {
  expect(plan({ waiting: [createGroup('a', 25)] }).prompts).toEqual(['a:10+']);
  const halfDone = createGroup('a', 25, { cached: 10 });
  expect(plan({ prefilling: halfDone, waiting: [createGroup('b', 2)] })).toEqual({
    starting: [],
    prompts: ['a:10+'],
    decoding: [],
  });
  const nearlyDone = createGroup('a', 25, { cached: 20 });
  expect(plan({ prefilling: nearlyDone, waiting: [createGroup('b', 5)] })).toEqual({
    starting: ['b'],
    prompts: ['a:5', 'b:5'],
    decoding: [],
  });
});

test('a request starts only with slots for all its candidates, and nobody overtakes it', () => {
  const waiting = [createGroup('a', 3, { candidates: 3 }), createGroup('b', 3)];
  expect(plan({ waiting, slotsFree: 2 }).starting).toEqual([]);
  expect(plan({ waiting, slotsFree: 3 }).starting).toEqual(['a']);
  expect(plan({ waiting, slotsFree: 4 }).starting).toEqual(['a', 'b']);
});

test('a prompt of one token is a row of the batch at once', () => {
  const waiting = [createGroup('a', 1, { candidates: 2 }), createGroup('b', 3)];
  expect(plan({ waiting, decoding: [createGroup('x', 5)] })).toEqual({
    starting: ['a', 'b'],
    prompts: ['b:3'],
    decoding: ['x/0', 'a/0', 'a/1'],
  });
});

test('a prompt of one token waits while a prompt stands between it and the batch', () => {
  expect(plan({ waiting: [createGroup('a', 3), createGroup('b', 1)] }).starting).toEqual(['a']);
  expect(
    plan({ prefilling: createGroup('a', 25, { cached: 20 }), waiting: [createGroup('b', 1)] }).starting,
  ).toEqual([]);
});

test('a prompt is cut the same way whatever runs beside it, and never down to a single token', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 500 }),
      fc.integer({ min: 3, max: 64 }),
      (promptTokens, tokensMax) => {
        let pending = promptTokens;
        while (pending > 0) {
          const tokens = chunkTokens(pending, tokensMax);
          expect(tokens).toBeGreaterThanOrEqual(2);
          expect(tokens).toBeLessThanOrEqual(tokensMax);
          pending -= tokens;
        }
        expect(pending).toBe(0);
      },
    ),
    { seed: 42 },
  );
});

test('a plan keeps to slots and tokens, and leaves at most its last prompt unfinished', () => {
  const anyWaiting = fc.array(
    fc.record({ promptTokens: fc.integer({ min: 1, max: 40 }), candidates: fc.integer({ min: 1, max: 4 }) }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(anyWaiting, fc.nat(20), fc.integer({ min: 3, max: 30 }), (shapes, slotsFree, tokensMax) => {
      const waiting = shapes.map(({ promptTokens, ...shape }, index) =>
        createGroup(`${index}`, promptTokens, shape),
      );
      const made = planStep({ waiting, prefilling: null, slotsFree }, tokensMax);
      const slots = made.starting.reduce((sum, group) => sum + group.slotsWanted, 0);
      const tokens = made.prompts.reduce((sum, chunk) => sum + chunk.tokens, 0);
      expect(slots).toBeLessThanOrEqual(slotsFree);
      expect(tokens).toBeLessThanOrEqual(tokensMax);
      expect(made.starting).toEqual(waiting.slice(0, made.starting.length));
      for (const chunk of made.prompts.slice(0, -1)) expect(chunk.isLast).toBe(true);
      const headFits = waiting[0] !== undefined && waiting[0].slotsWanted <= slotsFree;
      expect(made.starting.length > 0).toBe(headFits);
    }),
    { seed: 42, numRuns: 500 },
  );
});
