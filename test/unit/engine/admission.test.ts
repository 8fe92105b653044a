/** Who comes in, as tables of numbers. */
import { expect, test } from 'vitest';
import { admit, findsRoom, isSupported, malformation } from '../../../src/engine/admission.ts';
import { candidatesOf, createRequest, sampling } from '../../support/engine-drive.ts';

const limits = {
  queueMax: 2,
  prefillTokensMax: 16,
  chunkTokens: 8,
  slots: 4,
  positions: 20,
  topK: 50,
  blocks: 0,
  blockTokens: 1,
};
const empty = { slotsFree: 4, requestsWaiting: 0, slotsAwaited: 0 };
const prompt = (length: number) => new Int32Array(length).fill(3);

test.each([
  { name: 'a request that fits is accepted', request: {}, occupancy: empty, expected: 'accepted' },
  {
    name: 'prompt and reply may fill the positions exactly',
    request: { prompt: prompt(12), tokensMax: 8 },
    occupancy: empty,
    expected: 'accepted',
  },
  {
    name: 'one token more than the positions is refused',
    request: { prompt: prompt(13), tokensMax: 8 },
    occupancy: empty,
    expected: 'prompt_too_long',
  },
  {
    name: 'more candidates than slots are refused',
    request: { candidates: 5 },
    occupancy: empty,
    expected: 'unsupported_sampling',
  },
  {
    name: 'a topK beyond what the runner returns is refused',
    request: { sampling: { ...sampling, topK: 51 } },
    occupancy: empty,
    expected: 'unsupported_sampling',
  },
  {
    name: 'a full queue refuses',
    request: {},
    occupancy: { slotsFree: 0, requestsWaiting: 2, slotsAwaited: 2 },
    expected: 'queue_full',
  },
  {
    name: 'a request that can never run is refused for that, not for the queue',
    request: { prompt: prompt(30) },
    occupancy: { slotsFree: 0, requestsWaiting: 2, slotsAwaited: 2 },
    expected: 'prompt_too_long',
  },
])('$name', ({ request, occupancy, expected }) => {
  const newcomer = createRequest(request);
  const slotsWanted = candidatesOf(newcomer);
  expect(admit({ request: newcomer, slotsWanted }, occupancy, limits)).toBe(expected);
});

test.each([
  { slotsFree: 0, requestsWaiting: 1, slotsAwaited: 1, candidates: 1, room: true },
  { slotsFree: 0, requestsWaiting: 2, slotsAwaited: 2, candidates: 1, room: false },
  // Those before it leave it a slot: it will not wait at all.
  { slotsFree: 4, requestsWaiting: 3, slotsAwaited: 3, candidates: 1, room: true },
  { slotsFree: 4, requestsWaiting: 3, slotsAwaited: 3, candidates: 2, room: false },
  { slotsFree: 4, requestsWaiting: 1, slotsAwaited: 4, candidates: 4, room: true },
])(
  'room for $candidates with $slotsFree free, $slotsAwaited awaited by $requestsWaiting: $room',
  ({ candidates, room, ...occupancy }) => {
    expect(findsRoom(candidates, occupancy, 2)).toBe(room);
  },
);

test.each([
  { change: {}, supported: true },
  { change: { temperature: 0 }, supported: true },
  { change: { temperature: -0.1 }, supported: false },
  { change: { temperature: Number.NaN }, supported: false },
  { change: { temperature: Number.POSITIVE_INFINITY }, supported: false },
  { change: { topK: 50 }, supported: true },
  { change: { topK: 0 }, supported: false },
  { change: { topK: 51 }, supported: false },
  { change: { topK: 1.5 }, supported: false },
  { change: { topP: 1 }, supported: true },
  { change: { topP: 0 }, supported: false },
  { change: { topP: 1.01 }, supported: false },
  { change: { topP: Number.NaN }, supported: false },
  { change: { repetitionPenalty: 0 }, supported: false },
  { change: { repetitionPenalty: Number.NaN }, supported: false },
  { change: { seed: 0xffffffff }, supported: true },
  { change: { seed: 0x100000000 }, supported: false },
  { change: { seed: -1 }, supported: false },
  { change: { seed: 0.5 }, supported: false },
])('sampling with $change is supported: $supported', ({ change, supported }) => {
  expect(isSupported({ ...sampling, ...change }, 50)).toBe(supported);
});

test.each([
  { request: {}, problem: null },
  { request: { prompt: prompt(0) }, problem: 'the prompt is empty' },
  { request: { candidates: 0 }, problem: 'candidates is not a positive integer' },
  { request: { candidates: 1.5 }, problem: 'candidates is not a positive integer' },
  { request: { tokensMax: 0 }, problem: 'tokensMax is not a positive integer' },
  { request: { tokensMax: Number.NaN }, problem: 'tokensMax is not a positive integer' },
  { request: { stop: ['a', ''] }, problem: 'a stop string is empty' },
])('the malformation of $request is $problem', ({ request, problem }) => {
  expect(malformation(createRequest(request))).toBe(problem);
});
