/** What a step runs, from plain lists: no model, no cache. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderFairly, planStep, type ScheduleState, type StepPlan } from '../../../src/engine/scheduler.ts';
import { Sequence } from '../../../src/engine/sequence.ts';
import { SequenceGroup } from '../../../src/engine/sequence-group.ts';
import { createRequest } from '../../support/engine-drive.ts';

function createGroup(
  id: string,
  promptTokens: number,
  { candidates = 1, cached = 0, isKept = false } = {},
): SequenceGroup {
  const prompt = new Int32Array(promptTokens).fill(3);
  const reuse = isKept ? { reuse: { scope: 'somebody', publicTokens: 0 } } : {};
  const group = new SequenceGroup(createRequest({ id, prompt, candidates, ...reuse }));
  if (cached > 0) {
    group.begin();
    group.advance(cached);
  }
  return group;
}

/** Nothing is kept. */
const reusableTokens = () => 0;

/** A plan as short text: who starts, the chunks (with + where a rest is left), who gives way. */
function describePlan({ starting, prompts, yielding }: StepPlan) {
  return {
    starting: starting.map(({ request }) => request.id),
    prompts: prompts.map(({ group, tokens, isLast }) => `${group.request.id}:${tokens}${isLast ? '' : '+'}`),
    yielding: yielding.map(({ request }) => request.id),
  };
}

interface Setting {
  readonly waiting?: readonly SequenceGroup[];
  readonly prefilling?: SequenceGroup;
  readonly slotsFree?: number;
  /** Ids of requests whose runner-ups write, in the order in which they give way. */
  readonly runnerUps?: string;
  readonly prefillTokensMax?: number;
  readonly chunkTokens?: number;
  readonly reusableTokens?: ScheduleState['reusableTokens'];
}

function plan(setting: Setting) {
  const { waiting = [], prefilling = null, slotsFree = 9, prefillTokensMax = 10 } = setting;
  const limits = { prefillTokensMax, chunkTokens: setting.chunkTokens ?? prefillTokensMax };
  const runnerUps = [...(setting.runnerUps ?? '')].map((id) => new Sequence(createRequest({ id }), 1));
  return describePlan(
    planStep(
      { waiting, prefilling, slotsFree, runnerUps, reusableTokens: setting.reusableTokens ?? reusableTokens },
      limits,
    ),
  );
}

test('nothing to do makes an empty plan', () => {
  expect(plan({})).toEqual({ starting: [], prompts: [], yielding: [] });
});

test('several short prompts share the tokens of a step, in the order of arrival', () => {
  expect(plan({ waiting: [createGroup('a', 4), createGroup('b', 6), createGroup('c', 2)] })).toEqual({
    starting: ['a', 'b'],
    prompts: ['a:4', 'b:6'],
    yielding: [],
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
    yielding: [],
  });
  const nearlyDone = createGroup('a', 25, { cached: 20 });
  expect(plan({ prefilling: nearlyDone, waiting: [createGroup('b', 5)] })).toEqual({
    starting: ['b'],
    prompts: ['a:5', 'b:5'],
    yielding: [],
  });
});

test('what is kept of a prompt does not run again, and leaves the budget to others', () => {
  const waiting = [createGroup('a', 25), createGroup('b', 4)];
  const kept = (group: SequenceGroup) => (group.request.id === 'a' ? 20 : 0);
  expect(plan({ waiting, reusableTokens: kept })).toEqual({
    starting: ['a', 'b'],
    prompts: ['a:5', 'b:4'],
    yielding: [],
  });
});

test('a request starts only with slots for all its candidates, and nobody overtakes it', () => {
  const waiting = [createGroup('a', 3, { candidates: 3 }), createGroup('b', 3)];
  expect(plan({ waiting, slotsFree: 2 }).starting).toEqual([]);
  expect(plan({ waiting, slotsFree: 3 }).starting).toEqual(['a']);
  expect(plan({ waiting, slotsFree: 4 }).starting).toEqual(['a', 'b']);
});

test('a prompt of one token is a prompt like any other', () => {
  const waiting = [createGroup('a', 1, { candidates: 2 }), createGroup('b', 3)];
  expect(plan({ waiting })).toEqual({ starting: ['a', 'b'], prompts: ['a:1', 'b:3'], yielding: [] });
});

test('a step may run several pieces of a prompt, as many as its tokens allow', () => {
  const isKept = true;
  const [chunkTokens, waiting] = [4, [createGroup('a', 7, { isKept }), createGroup('b', 9, { isKept })]];
  expect(plan({ waiting, chunkTokens }).prompts).toEqual(['a:4+', 'a:3']);
  expect(plan({ waiting, chunkTokens, prefillTokensMax: 12 }).prompts).toEqual(['a:4+', 'a:3', 'b:4+']);
  expect(plan({ waiting, chunkTokens, prefillTokensMax: 6 })).toEqual({
    starting: ['a'],
    prompts: ['a:4+'],
    yielding: [],
  });
});

test.each([
  { name: 'stay where rows are free', slotsFree: 3, wanted: [3], runnerUps: 'xy', starts: 1, yielding: '' },
  {
    name: 'give way one by one, the first named first',
    slotsFree: 2,
    wanted: [3],
    runnerUps: 'xyz',
    starts: 1,
    yielding: 'x',
  },
  {
    name: 'give way all together if it takes all',
    slotsFree: 0,
    wanted: [3],
    runnerUps: 'xyz',
    starts: 1,
    yielding: 'xyz',
  },
  {
    name: 'stay where even all of them are too few',
    slotsFree: 0,
    wanted: [3],
    runnerUps: 'xy',
    starts: 0,
    yielding: '',
  },
  {
    name: 'stay for one that is held back',
    slotsFree: 0,
    wanted: [3, 1],
    runnerUps: 'xy',
    starts: 0,
    yielding: '',
  },
  {
    name: 'give way to several that start',
    slotsFree: 1,
    wanted: [2, 1, 1],
    runnerUps: 'xy',
    starts: 2,
    yielding: 'xy',
  },
])('runner-ups $name', ({ slotsFree, wanted, runnerUps, starts, yielding }) => {
  const waiting = wanted.map((candidates, index) => createGroup(`${index}`, 2, { candidates }));
  const made = plan({ waiting, slotsFree, runnerUps });
  expect(made.starting).toHaveLength(starts);
  expect(made.yielding).toEqual([...yielding]);
});

test('runner-ups stay while a prompt does not fit into the tokens of the step', () => {
  const prefilling = createGroup('a', 25, { cached: 10 });
  const waiting = [createGroup('b', 4)];
  expect(plan({ prefilling, waiting, slotsFree: 0, runnerUps: 'x' }).yielding).toEqual([]);
});

test('a prompt that nobody may find again is cut by the tokens of a step alone, whatever a neighbour takes of them', () => {
  const prefilling = createGroup('a', 25, { cached: 20 });
  const [chunkTokens, waiting] = [4, [createGroup('b', 12)]];
  expect(plan({ prefilling, waiting, chunkTokens }).prompts).toEqual(['a:5']);
  expect(plan({ waiting, chunkTokens }).prompts).toEqual(['b:10+']);
  expect(plan({ prefilling: createGroup('b', 12, { cached: 10 }), chunkTokens }).prompts).toEqual(['b:2']);
});

test('a prompt is cut at the multiples of the chunk, whatever budget and neighbours leave of a step', () => {
  const anySteps = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 });
  const sizes = fc.record({
    promptTokens: fc.integer({ min: 1, max: 300 }),
    chunkTokens: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(sizes, anySteps, ({ promptTokens, chunkTokens }, budgets) => {
      const group = createGroup('a', promptTokens, { isKept: true });
      const cuts: number[] = [];
      for (let step = 0; group.pending > 0; step++) {
        const prefillTokensMax = Math.max(chunkTokens, budgets[step % budgets.length]!);
        const state = { waiting: [], prefilling: group, slotsFree: 0, runnerUps: [], reusableTokens };
        for (const chunk of planStep(state, { prefillTokensMax, chunkTokens }).prompts) {
          cuts.push(chunk.position);
          group.advance(chunk.tokens);
        }
      }
      const whole = Array.from({ length: Math.ceil(promptTokens / chunkTokens) }, (_, i) => i * chunkTokens);
      expect(cuts).toEqual(whole);
    }),
    { seed: 42 },
  );
});

test('whoever has nothing running starts first, and within that whoever came first', () => {
  const of = (id: string, scope?: string) =>
    new SequenceGroup(
      createRequest({ id, ...(scope === undefined ? {} : { reuse: { scope, publicTokens: 0 } }) }),
    );
  const names = (groups: readonly SequenceGroup[]) => groups.map(({ request }) => request.id).join('');
  const crowd = [of('1', 'ann'), of('2', 'ann'), of('3', 'ann'), of('4', 'bob'), of('5', 'cy')];
  expect(names(orderFairly(crowd, []))).toBe('14523');
  expect(names(orderFairly(crowd, [of('r', 'ann')]))).toBe('45123');
  expect(names(orderFairly([of('1'), of('2'), of('3', 'bob')], []))).toBe('132');
  expect(names(orderFairly([], [of('r', 'ann')]))).toBe('');
});

test('a plan keeps to slots and tokens, and leaves at most its last prompt unfinished', () => {
  const anyWaiting = fc.array(
    fc.record({
      promptTokens: fc.integer({ min: 1, max: 40 }),
      candidates: fc.integer({ min: 1, max: 4 }),
      isKept: fc.boolean(),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      anyWaiting,
      fc.record({ slotsFree: fc.nat(20), others: fc.nat(4) }),
      fc.record({ tokensMax: fc.integer({ min: 3, max: 30 }), cut: fc.integer({ min: 1, max: 30 }) }),
      (shapes, { slotsFree, others }, { tokensMax, cut }) => {
        const waiting = shapes.map(({ promptTokens, ...shape }, index) =>
          createGroup(`${index}`, promptTokens, shape),
        );
        const runnerUps = Array.from({ length: others }, () => new Sequence(createRequest(), 1));
        const limits = { prefillTokensMax: tokensMax, chunkTokens: Math.min(cut, tokensMax) };
        const made = planStep({ waiting, prefilling: null, slotsFree, runnerUps, reusableTokens }, limits);
        const slots = made.starting.reduce((sum, group) => sum + group.slotsWanted, 0);
        const tokens = made.prompts.reduce((sum, chunk) => sum + chunk.tokens, 0);
        expect(slots).toBeLessThanOrEqual(slotsFree + made.yielding.length);
        // Nobody gives way for nothing.
        if (made.yielding.length > 0) expect(slots).toBe(slotsFree + made.yielding.length);
        expect(tokens).toBeLessThanOrEqual(tokensMax);
        expect(made.starting).toEqual(waiting.slice(0, made.starting.length));
        const unfinished = made.starting.filter(
          (group) => !made.prompts.some((chunk) => chunk.group === group && chunk.isLast),
        );
        expect(unfinished.every((group) => group === made.starting.at(-1))).toBe(true);
        const headFits = waiting[0] !== undefined && waiting[0].slotsWanted <= slotsFree + others;
        expect(made.starting.length > 0).toBe(headFits);
      },
    ),
    { seed: 42, numRuns: 500 },
  );
});
