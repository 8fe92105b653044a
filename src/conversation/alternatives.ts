import type { Generation, Message, StoredCandidate } from './message.ts';

export interface Alternative {
  readonly candidateId: string;
  readonly text: string;
  /** 1 = best by the ranker. */
  readonly rank: number;
  readonly shown: boolean;
}

/**
 * What a reply could have been, best first: the finished candidates that passed the filters, of equal texts one. The one that is
 * shown is among them whatever it is, also where the user stopped it; a fixed line is no candidate.
 */
export function alternativesOf(message: Message, { candidates }: Generation): readonly Alternative[] {
  const isShown = (one: StoredCandidate) =>
    one.candidateId === message.shownCandidateId && message.text !== '';
  const ranked = candidates
    .filter((one) => isShown(one) || isWhole(one))
    .sort((a, b) => compareScores(b.score, a.score) || a.index - b.index)
    .map((one) => ({
      candidateId: one.candidateId,
      text: isShown(one) ? message.text : one.text,
      shown: isShown(one),
    }));
  // Of equal texts the first one stays, but never in the place of the shown one.
  const isRepeated = ({ text, shown }: (typeof ranked)[number], place: number) =>
    !shown && ranked.some((other, at) => other.text === text && (other.shown || at < place));
  return ranked
    .filter((one, place) => !isRepeated(one, place))
    .map((one, place) => ({ ...one, rank: place + 1 }));
}

/** Whom nobody scored comes last. */
function compareScores(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return a - b;
}

function isWhole({ text, finishReason, filterReason }: StoredCandidate): boolean {
  return text !== '' && filterReason === null && (finishReason === 'stop' || finishReason === 'length');
}
