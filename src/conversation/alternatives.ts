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
  const shown = candidates.find(({ candidateId }) => candidateId === message.shownCandidateId);
  const best = candidates
    .filter(isWhole)
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0) || a.index - b.index);
  const all = shown === undefined || best.includes(shown) ? best : [shown, ...best];
  const seen = new Set(shown === undefined ? [] : [shown.text]);
  const different = all.filter((one) => {
    if (one === shown) return one.text !== '';
    if (seen.has(one.text)) return false;
    seen.add(one.text);
    return true;
  });
  return different.map((one, place) => ({
    candidateId: one.candidateId,
    text: one.text,
    rank: place + 1,
    shown: one === shown,
  }));
}

function isWhole({ text, finishReason, filterReason }: StoredCandidate): boolean {
  return text !== '' && filterReason === null && (finishReason === 'stop' || finishReason === 'length');
}
