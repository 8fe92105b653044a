/** What a generation came to, as it is stored: nothing that decided about the reply is lost. */
import type { Candidate, RaceRecord } from '../engine/request.ts';
import type { GenerationEvent } from './generator.ts';
import type { StoredCandidate } from './message.ts';
import type { Reply } from './reply.ts';
import type { GenerationEnd } from './stores.ts';

export interface Outcome {
  readonly candidates: readonly StoredCandidate[];
  readonly shown: StoredCandidate | null;
  readonly race: RaceRecord | null;
  /** How it ended when no candidate says so. */
  readonly fixedEnd: 'canned' | 'filtered' | 'length' | null;
  /** Why the worker died, where it did before the end. */
  readonly workerLost?: string;
  /** A CodedError, or a bug. */
  readonly error?: unknown;
}

export const nothingMade: Outcome = { candidates: [], shown: null, race: null, fixedEnd: null };

/** The record of a reply for which no race was started. */
export function unraced(level: number): RaceRecord {
  return { level, candidates: 0, checkpoints: [], commit: null };
}

type Finished = GenerationEvent & { readonly kind: 'finished' };

export function toOutcome(finished: Finished, candidateId: () => string): Outcome {
  const candidates = finished.candidates.map((one) => toStoredCandidate(one, candidateId()));
  const shown = candidates.find((one) => one.index === finished.shown) ?? null;
  const fixedEnd = shown === null || shown.text === '' ? 'filtered' : null;
  return { candidates, shown, race: finished.race, fixedEnd };
}

export function toStoredCandidate(
  { verdict, ...candidate }: Candidate,
  candidateId: string,
): StoredCandidate {
  const emptiness = candidate.text === '' ? 'empty' : null;
  return {
    candidateId,
    score: verdict?.score ?? null,
    features: verdict?.features ?? null,
    filterReason: verdict?.filterReason ?? emptiness,
    ...candidate,
  };
}

export function toGenerationEnd(
  { turn, stopReason }: Reply,
  outcome: Outcome,
  { text, at }: { readonly text: string; readonly at: number },
): GenerationEnd {
  const shared = {
    generationId: turn.generationId,
    text,
    candidates: outcome.candidates,
    shownCandidateId: outcome.shown?.candidateId ?? null,
    race: outcome.race,
    at,
  };
  if (outcome.error !== undefined) return { ...shared, status: 'failed', finishReason: null };
  const own = outcome.shown?.finishReason;
  // A reply that reached its own end is done, also when somebody stopped it at that very moment.
  if ((own === 'stop' || own === 'length') && outcome.fixedEnd === null && stopReason !== 'superseded') {
    return { ...shared, status: 'done', finishReason: own };
  }
  if (stopReason !== null) return { ...shared, status: 'cancelled', finishReason: stopReason };
  return { ...shared, status: 'done', finishReason: outcome.fixedEnd ?? 'filtered' };
}
