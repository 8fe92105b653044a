/** The promises of the engine's bookkeeping, checked on a copy of its counters. */
import type { RaceRole } from './race.ts';
import type { SequenceEnd } from './sequence.ts';

export interface EngineSnapshot {
  readonly requestsWaiting: number;
  readonly requestsRunning: number;
  /** Rows of the batch: slots 0..rowsDecoding-1. */
  readonly rowsDecoding: number;
  /** Slots behind the batch, held by prompts that are half done. */
  readonly rowsPrefilling: number;
  readonly slots: number;
  readonly slotsFree: number;
  /** Since the start of the engine. */
  readonly slotsTakenTotal: number;
  /** Since the start of the engine. */
  readonly slotsFreedTotal: number;
  /** Slots of prompts in use: 0..promptsDecoding-1 of those that decode, and behind them the one that is half done. */
  readonly promptSlotsUsed: number;
  readonly promptsDecoding: number;
  /** Tokens of a prompt and its reply together. */
  readonly positions: number;
  /** Of the requests that have started. */
  readonly sequences: readonly SequenceSnapshot[];
}

export interface SequenceSnapshot {
  readonly requestId: string;
  readonly index: number;
  readonly role: RaceRole;
  /** Whether one of the request's sequences is shown, and not all. */
  readonly isRaced: boolean;
  /** Whether the request has told its end: only a runner-up may still write. */
  readonly isFinished: boolean;
  readonly slot: number | null;
  /** Tokens of the reply in its slot. */
  readonly cached: number;
  readonly promptSlot: number | null;
  /** Tokens of the prompt in its slot. */
  readonly promptCached: number;
  readonly promptTokens: number;
  readonly generated: number;
  readonly tokensMax: number;
  readonly end: SequenceEnd | null;
}

/** Every broken promise in a snapshot taken between two steps, as a sentence; empty if all are kept. */
export function findViolations(snapshot: EngineSnapshot): readonly string[] {
  return [
    ...findSlotViolations(snapshot),
    ...findPromptSlotViolations(snapshot),
    ...snapshot.sequences.flatMap((s) => findSequenceViolations(s, snapshot)),
    ...findRaceViolations(snapshot),
  ];
}

function findRaceViolations({ sequences }: EngineSnapshot): readonly string[] {
  const ids = [...new Set(sequences.map(({ requestId }) => requestId))];
  return ids.flatMap((id) => {
    const own = sequences.filter(({ requestId }) => requestId === id);
    const violations = own[0]?.isRaced === true ? findRoleViolations(own) : [];
    if (own.some(({ isFinished, end, role }) => isFinished && end === null && role !== 'runner_up')) {
      violations.push('has finished and writes on');
    }
    return violations.map((violation) => `request ${id} ${violation}`);
  });
}

/** All sequences of one race. */
function findRoleViolations(sequences: readonly SequenceSnapshot[]): string[] {
  const ofRole = (role: RaceRole) => sequences.filter((sequence) => sequence.role === role);
  const [shown, runnerUps, contenders] = [ofRole('shown'), ofRole('runner_up'), ofRole('contender')];
  const violations: string[] = [];
  if (shown.length > 1) violations.push(`shows ${shown.length} candidates`);
  if (runnerUps.length > 1) violations.push(`has ${runnerUps.length} runner-ups`);
  if (shown.length === 0 && runnerUps.length > 0) violations.push('has a runner-up and shows nobody');
  if (shown.length > 0 && contenders.length > 0) violations.push('is committed and has contenders');
  if (ofRole('out').some(({ end }) => end === null)) violations.push('has one that is out and writes on');
  const writing = sequences.filter(({ end }) => end === null);
  if (new Set(writing.map(({ generated }) => generated)).size > 1) violations.push('is out of step');
  return violations;
}

function findSlotViolations(snapshot: EngineSnapshot): readonly string[] {
  const held = snapshot.sequences.flatMap(({ slot }) => (slot === null ? [] : [slot])).sort((a, b) => a - b);
  const used = snapshot.rowsDecoding + snapshot.rowsPrefilling;
  const violations: string[] = [];
  if (held.some((slot, place) => slot !== place)) violations.push(`slots in use have gaps or twins: ${held}`);
  if (held.length !== used) violations.push(`${held.length} sequences hold slots, ${used} slots are in use`);
  if (used + snapshot.slotsFree !== snapshot.slots) {
    violations.push(`${used} slots used and ${snapshot.slotsFree} free do not make ${snapshot.slots}`);
  }
  const owed = snapshot.slotsTakenTotal - snapshot.slotsFreedTotal;
  if (owed !== used) violations.push(`${owed} slots were taken and not freed, ${used} are in use`);
  const halfDone = snapshot.sequences.filter(({ slot }) => slot !== null && slot >= snapshot.rowsDecoding);
  if (new Set(halfDone.map(({ requestId }) => requestId)).size > 1) {
    violations.push('more than one request is half prefilled');
  }
  return violations;
}

function findPromptSlotViolations(snapshot: EngineSnapshot): readonly string[] {
  const slots = new Map<string, number>();
  for (const { requestId, promptSlot } of snapshot.sequences) {
    if (promptSlot !== null) slots.set(requestId, promptSlot);
  }
  const held = [...slots.values()].sort((a, b) => a - b);
  const violations: string[] = [];
  if (held.some((slot, place) => slot !== place)) violations.push(`prompt slots have gaps or twins: ${held}`);
  if (held.length !== snapshot.promptSlotsUsed) {
    violations.push(`${held.length} prompts hold slots, ${snapshot.promptSlotsUsed} slots are in use`);
  }
  return violations;
}

function findSequenceViolations(sequence: SequenceSnapshot, snapshot: EngineSnapshot): readonly string[] {
  const { slot, cached, promptSlot, promptCached, promptTokens, generated, tokensMax, end } = sequence;
  const name = `sequence ${sequence.requestId}/${sequence.index}`;
  const violations: string[] = [];
  if (end !== null && slot !== null) violations.push(`${name} has ended and holds slot ${slot}`);
  if (slot !== null && promptSlot === null) violations.push(`${name} has a slot and its prompt has none`);
  if (generated > tokensMax) violations.push(`${name} has ${generated} tokens of at most ${tokensMax}`);
  if (promptCached + cached > snapshot.positions) {
    violations.push(`${name} caches ${promptCached + cached} of ${snapshot.positions} positions`);
  }
  if (promptCached > promptTokens) violations.push(`${name} caches more than its prompt`);
  if (slot === null && end === null && cached + generated > 0) {
    violations.push(`${name} has tokens but no slot`);
  }
  if (slot !== null && slot < snapshot.rowsDecoding) {
    if (promptCached !== promptTokens) violations.push(`${name} decodes behind half a prompt`);
    if (cached !== generated - 1)
      violations.push(`${name} decodes with ${generated - cached} pending tokens`);
    if (promptSlot !== null && promptSlot >= snapshot.promptsDecoding) {
      violations.push(`${name} decodes, its prompt does not`);
    }
  }
  if (slot !== null && slot >= snapshot.rowsDecoding && (promptCached === promptTokens || generated > 0)) {
    violations.push(`${name} prefills though its prompt is done`);
  }
  return violations;
}
