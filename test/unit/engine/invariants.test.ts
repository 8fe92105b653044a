/** The validator finds each broken promise, and all of them at once. */
import { expect, test } from 'vitest';
import {
  type EngineSnapshot,
  findViolations,
  type SequenceSnapshot,
} from '../../../src/engine/invariants.ts';

const decoding: SequenceSnapshot = {
  requestId: 'a',
  index: 0,
  role: 'shown',
  isRaced: false,
  isFinished: false,
  slot: 0,
  cached: 1,
  promptSlot: 0,
  promptCached: 4,
  promptTokens: 4,
  generated: 2,
  tokensMax: 8,
  end: null,
};
const prefilling: SequenceSnapshot = {
  ...decoding,
  requestId: 'b',
  slot: 1,
  cached: 0,
  promptSlot: 1,
  promptCached: 4,
  promptTokens: 10,
  generated: 0,
};
/** It has its sequences, but no slot yet. */
const slotless: SequenceSnapshot = {
  ...prefilling,
  requestId: 'c',
  slot: null,
  promptSlot: null,
  promptCached: 0,
};

/** Both hold a slot of the batch. */
const shown: SequenceSnapshot = { ...decoding, requestId: 'r', index: 0, isRaced: true };
const runnerUp: SequenceSnapshot = { ...shown, index: 1, slot: 1, role: 'runner_up' };
const out: SequenceSnapshot = { ...shown, index: 2, slot: null, role: 'out', end: 'dropped' };

const sound: EngineSnapshot = {
  requestsWaiting: 1,
  requestsRunning: 2,
  rowsDecoding: 1,
  rowsPrefilling: 1,
  slots: 4,
  slotsFree: 2,
  slotsTakenTotal: 7,
  slotsFreedTotal: 5,
  promptSlotsUsed: 2,
  promptsDecoding: 1,
  positions: 32,
  sequences: [decoding, prefilling, slotless],
};

const withSequences = (...sequences: readonly SequenceSnapshot[]): EngineSnapshot => ({
  ...sound,
  sequences,
});

test('a sound snapshot has no violations', () => {
  expect(findViolations(sound)).toEqual([]);
});

/** One race after its commit. */
const withRace = (...sequences: readonly SequenceSnapshot[]): EngineSnapshot => ({
  ...withSequences(...sequences),
  rowsDecoding: 2,
  rowsPrefilling: 0,
  promptSlotsUsed: 1,
});

test('a sound race has no violations: before the commit, after it, and when only its runner-up writes', () => {
  const contender = (one: SequenceSnapshot): SequenceSnapshot => ({ ...one, role: 'contender' });
  expect(findViolations(withRace(contender(shown), contender(runnerUp), out))).toEqual([]);
  expect(findViolations(withRace(shown, runnerUp, out))).toEqual([]);
  const behind = {
    ...withRace(
      { ...shown, slot: null, end: 'stop' as const, isFinished: true },
      { ...runnerUp, slot: 0, isFinished: true, cached: 2, generated: 3 },
    ),
    rowsDecoding: 1,
    slotsFree: 3,
    slotsFreedTotal: 6,
  };
  expect(findViolations(behind)).toEqual([]);
});

test.each([
  { snapshot: withRace(shown, { ...runnerUp, role: 'shown' }), violation: 'request r shows 2 candidates' },
  {
    snapshot: withRace({ ...shown, role: 'runner_up' }, runnerUp),
    violation: 'request r has 2 runner-ups\nrequest r has a runner-up and shows nobody',
  },
  {
    snapshot: withRace(shown, { ...runnerUp, role: 'contender' }),
    violation: 'is committed and has contenders',
  },
  { snapshot: withRace(shown, { ...runnerUp, role: 'out' }), violation: 'has one that is out and writes on' },
  { snapshot: withRace(shown, runnerUp, { ...out, slot: 2 }), violation: 'has ended and holds slot 2' },
  {
    snapshot: withRace(shown, { ...runnerUp, generated: 3, cached: 2 }),
    violation: 'request r is out of step',
  },
  {
    snapshot: withRace({ ...shown, isFinished: true }, { ...runnerUp, isFinished: true }),
    violation: 'request r has finished and writes on',
  },
  { snapshot: withSequences(decoding, { ...prefilling, slot: 2 }), violation: 'gaps or twins: 0,2' },
  { snapshot: withSequences(decoding, { ...prefilling, slot: 0 }), violation: 'gaps or twins: 0,0' },
  { snapshot: withSequences(decoding), violation: '1 sequences hold slots, 2 slots are in use' },
  { snapshot: { ...sound, slotsFree: 1 }, violation: '2 slots used and 1 free do not make 4' },
  { snapshot: { ...sound, slotsFreedTotal: 4 }, violation: '3 slots were taken and not freed, 2 are in use' },
  {
    snapshot: withSequences({ ...decoding, end: 'stop' as const }, prefilling),
    violation: 'has ended and holds slot 0',
  },
  {
    snapshot: withSequences({ ...decoding, generated: 9, cached: 8 }, prefilling),
    violation: '9 tokens of at most 8',
  },
  {
    snapshot: withSequences({ ...decoding, cached: 29 }, prefilling),
    violation: 'caches 33 of 32 positions',
  },
  {
    snapshot: withSequences({ ...decoding, cached: 0 }, prefilling),
    violation: 'decodes with 2 pending',
  },
  {
    snapshot: withSequences({ ...decoding, promptCached: 3 }, prefilling),
    violation: 'decodes behind half a prompt',
  },
  {
    snapshot: { ...sound, promptsDecoding: 0 },
    violation: 'decodes, its prompt does not',
  },
  {
    snapshot: withSequences(decoding, { ...prefilling, promptCached: 10 }),
    violation: 'prefills though its prompt is done',
  },
  {
    snapshot: withSequences(decoding, { ...prefilling, promptCached: 11 }),
    violation: 'caches more than its prompt',
  },
  {
    snapshot: withSequences({ ...decoding, promptSlot: null }, prefilling),
    violation: 'has a slot and its prompt has none',
  },
  {
    snapshot: withSequences(decoding, { ...prefilling, promptSlot: 2 }),
    violation: 'prompt slots have gaps or twins: 0,2',
  },
  { snapshot: { ...sound, promptSlotsUsed: 3 }, violation: '2 prompts hold slots, 3 slots are in use' },
  {
    snapshot: withSequences(decoding, prefilling, { ...slotless, generated: 2 }),
    violation: 'has tokens but no slot',
  },
  {
    snapshot: {
      ...withSequences(decoding, prefilling, { ...prefilling, requestId: 'd', slot: 2 }),
      rowsPrefilling: 2,
      slotsFree: 1,
      slotsTakenTotal: 8,
    },
    violation: 'more than one request is half prefilled',
  },
])('it finds: $violation', ({ snapshot, violation }) => {
  expect(findViolations(snapshot).join('\n')).toContain(violation);
});

test('it reports every violation, not only the first', () => {
  const broken = {
    ...withSequences({ ...decoding, end: 'stop' as const }, { ...prefilling, slot: 3 }),
    slotsFree: 0,
  };
  expect(findViolations(broken).length).toBeGreaterThanOrEqual(3);
});
