/**
 * Which answers a person can step through at one reply. The server knows two kinds: versions (further messages beside
 * this one) and alternatives (other finished texts of this very message). To a person both are answers, in one row:
 * versions by age, and where alternatives of a version are known, those in its place. Pure.
 */
import type { Alternative, ChatMessage } from '../../src/client/state.ts';

export type Step =
  | { readonly kind: 'version'; readonly messageId: string }
  | { readonly kind: 'alternative'; readonly messageId: string; readonly candidateId: string };

export interface Answers {
  /** From 1. */
  readonly position: number;
  readonly total: number;
  readonly previous: Step | null;
  readonly next: Step | null;
}

/** How many alternatives each version has, by its place, as far as they have been looked at. */
export type KnownCounts = ReadonlyMap<number, number>;

export const noCounts: KnownCounts = new Map();

function sumOver(from: number, to: number, counts: KnownCounts): number {
  let sum = 0;
  for (let index = from; index < to; index += 1) sum += Math.max(counts.get(index) ?? 1, 1);
  return sum;
}

/** Alternatives by the place of their id in `order`; unknown ones last. */
export function inOrder(
  alternatives: readonly Alternative[],
  order: readonly string[],
): readonly Alternative[] {
  const placeOf = ({ candidateId }: Alternative) => {
    const place = order.indexOf(candidateId);
    return place < 0 ? order.length : place;
  };
  return [...alternatives].sort((a, b) => placeOf(a) - placeOf(b));
}

export function toAnswers(
  message: ChatMessage,
  alternatives: readonly Alternative[],
  counts: KnownCounts,
): Answers {
  const { messageId, siblings } = message;
  const { index, count, previousId, nextId } = siblings;
  const shownAt = Math.max(
    alternatives.findIndex(({ shown }) => shown),
    0,
  );
  const before = sumOver(0, index, counts);
  const after = sumOver(index + 1, count, counts);
  const toStep = (alternative: Alternative | undefined, versionId: string | null): Step | null => {
    if (alternative !== undefined && messageId !== null) {
      return { kind: 'alternative', messageId, candidateId: alternative.candidateId };
    }
    return versionId === null ? null : { kind: 'version', messageId: versionId };
  };
  return {
    position: before + shownAt + 1,
    total: before + Math.max(alternatives.length, 1) + after,
    previous: toStep(alternatives[shownAt - 1], previousId),
    next: toStep(alternatives[shownAt + 1], nextId),
  };
}
