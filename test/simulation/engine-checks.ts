/** What must hold of all that the engine told about one request. */
import { expect } from 'vitest';
import type { Candidate, EngineEvent } from '../../src/engine/request.ts';
import { type Finished, lostRunnerUp, runAlone, textOf, withoutRunnerUp } from '../support/engine-drive.ts';
import type { Life } from './engine-life.ts';

export interface Outcome {
  readonly events: EngineEvent[];
  /** Whether it was in a pass that threw. */
  wasHit: boolean;
}

/** @returns what became of the request, in a word; and in a second one what became of its runner-up */
export async function checkOutcome(
  life: Life,
  { events, wasHit }: Outcome,
  prefillTokensMax: number,
): Promise<readonly string[]> {
  const end = checkOrder(events);
  const alone = await runAlone(life.alone(), prefillTokensMax);
  checkIsBeginning(events, alone);
  if (end.kind === 'failed') {
    if (wasHit) return ['hit'];
    const isJudge = end.message.startsWith('the judge failed');
    // The judge may also break on the text of a cancelled one, which alone never stood like that.
    if (isJudge && life.cancelledAt !== null) return ['judge failed'];
    expect(events).toEqual(alone);
    return [isJudge ? 'judge failed' : 'poisoned'];
  }
  checkTexts(life, events, end);
  if (
    end.candidates.length === 0 ||
    end.candidates.some(({ finishReason }) => finishReason === 'cancelled')
  ) {
    expect(life.cancelledAt).not.toBeNull();
    return ['cancelled'];
  }
  const lost = lostRunnerUp(events);
  if (lost === null) expect(events).toEqual(alone);
  else expect(withoutRunnerUp(events, lost)).toEqual(withoutRunnerUp(alone, lost));
  return [kindOf(end), lost !== null ? 'runner-up lost' : end.hasMore ? 'runner-up followed' : 'no more'];
}

function kindOf({ race }: Finished): string {
  if (race === null) return 'finished';
  if (race.commit === null) return 'filtered';
  return race.commit.isExplored ? 'explored' : 'raced';
}

/** Started once at most, ended once, and then nothing but the alternative that was announced. */
function checkOrder(events: readonly EngineEvent[]): EngineEvent & { readonly kind: 'finished' | 'failed' } {
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.lastIndexOf('started')).toBeLessThanOrEqual(0);
  const place = kinds.findIndex((kind) => kind === 'finished' || kind === 'failed');
  const end = events[place];
  if (end?.kind !== 'finished' && end?.kind !== 'failed') throw new Error('the request never ended');
  const hasMore = end.kind === 'finished' && end.hasMore;
  expect(kinds.slice(place + 1)).toEqual(hasMore ? ['alternative'] : []);
  expect(kinds.slice(0, place).every((kind) => kind === 'started' || kind === 'text')).toBe(true);
  return end;
}

/** Deltas add up to the text of the candidate that they belong to; of a race, only the one that is shown has any. */
function checkTexts({ request }: Life, events: readonly EngineEvent[], end: Finished): void {
  const { written = '' } = request;
  const streamed = new Set(events.flatMap((event) => (event.kind === 'text' ? [event.index] : [])));
  if (request.selection.kind === 'race') {
    expect([...streamed].every((index) => index === end.shown)).toBe(true);
    if (end.race !== null) expect(end.shown).toBe(end.race.commit?.index ?? null);
  } else expect(end.shown).toBeNull();
  for (const { index, text } of end.candidates) {
    expect(text).toBe(text.trim());
    expect(text.startsWith(written)).toBe(true);
    const isShown = request.selection.kind === 'all' || index === end.shown;
    expect(textOf(events, index)).toBe(isShown ? text.slice(written.length) : '');
  }
}

/** Nothing was shown, and no candidate wrote, what is not the beginning of the same alone. */
function checkIsBeginning(events: readonly EngineEvent[], alone: readonly EngineEvent[]): void {
  for (const event of events) {
    if (event.kind !== 'text') continue;
    expect(textOf(alone, event.index).startsWith(textOf(events, event.index))).toBe(true);
  }
  const texts = new Map(candidatesOf(alone).map(({ index, text }) => [index, text]));
  for (const { index, text } of candidatesOf(events)) {
    const whole = texts.get(index);
    if (whole !== undefined) expect(whole.startsWith(text)).toBe(true);
  }
}

function candidatesOf(events: readonly EngineEvent[]): readonly Candidate[] {
  return events.flatMap((event) => {
    if (event.kind === 'finished') return event.candidates;
    return event.kind === 'alternative' && event.candidate !== null ? [event.candidate] : [];
  });
}
