/** Whether a request may come in: pure functions on counters, so that a table of numbers can test them. */
import type { RunnerLimits } from './model-runner.ts';
import type { Admission, EngineRequest, SamplingParams } from './request.ts';
import type { PrefillLimits } from './scheduler.ts';

export interface EngineLimits extends PrefillLimits {
  /** Requests that may wait for slots; those that find free ones at the next step do not count. */
  readonly queueMax: number;
}

/** What the engine holds at the moment of the question. */
export interface Occupancy {
  /** Those that runner-ups would give up included. */
  readonly slotsFree: number;
  readonly requestsWaiting: number;
  /** Slots that the waiting requests would take now. */
  readonly slotsAwaited: number;
}

/** What the request would take if it started now. */
export interface Newcomer {
  readonly request: EngineRequest;
  readonly slotsWanted: number;
}

export function admit(
  { request, slotsWanted }: Newcomer,
  occupancy: Occupancy,
  limits: EngineLimits & RunnerLimits,
): Admission {
  if (!isSupported(request.sampling, limits.topK)) return 'unsupported_sampling';
  if (slotsWanted > limits.slots) return 'unsupported_sampling';
  if (request.prompt.length + request.tokensMax > limits.positions) return 'prompt_too_long';
  if (!findsRoom(slotsWanted, occupancy, limits.queueMax)) return 'queue_full';
  return 'accepted';
}

export function isSupported(sampling: SamplingParams, topKMax: number): boolean {
  const { temperature, topK, topP, repetitionPenalty, seed } = sampling;
  return (
    Number.isFinite(temperature) &&
    temperature >= 0 &&
    Number.isInteger(topK) &&
    topK >= 1 &&
    topK <= topKMax &&
    topP > 0 &&
    topP <= 1 &&
    Number.isFinite(repetitionPenalty) &&
    repetitionPenalty > 0 &&
    Number.isInteger(seed) &&
    seed >= 0 &&
    seed <= 0xffffffff
  );
}

export function findsRoom(slotsWanted: number, occupancy: Occupancy, queueMax: number): boolean {
  const startsAtOnce = occupancy.slotsAwaited + slotsWanted <= occupancy.slotsFree;
  return startsAtOnce || occupancy.requestsWaiting < queueMax;
}

/** What is wrong with a request that no caller should make, or null: a bug above, not a refusal. */
export function malformation(request: EngineRequest): string | null {
  if (request.prompt.length === 0) return 'the prompt is empty';
  const { selection } = request;
  if (selection.kind === 'all' && !isCount(selection.candidates))
    return 'candidates is not a positive integer';
  if (!isCount(request.tokensMax)) return 'tokensMax is not a positive integer';
  if (request.stop.includes('')) return 'a stop string is empty';
  return null;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}
