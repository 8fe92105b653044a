import { describe, expect, it } from 'vitest';
import { alternativesOf } from '../../../src/conversation/alternatives.ts';
import type { Generation, StoredCandidate } from '../../../src/conversation/message.ts';
import { aMessage } from '../../support/builders.ts';

function aCandidate(own: Partial<StoredCandidate> & { readonly text: string }): StoredCandidate {
  const { index = 0, text } = own;
  return {
    candidateId: `k_${index}`,
    index,
    tokens: text.length,
    finishReason: 'stop',
    logProb: -1,
    score: -index,
    features: null,
    filterReason: null,
    ...own,
  };
}

/** What comes of candidates of which one is shown, as text, rank, and a star at the shown one. */
function listed(
  candidates: readonly StoredCandidate[],
  shownCandidateId: string | null,
  text = candidates.find((one) => one.candidateId === shownCandidateId)?.text ?? '',
): string[] {
  const message = aMessage({ role: 'companion', text, shownCandidateId });
  const alternatives = alternativesOf(message, { candidates } as unknown as Generation);
  return alternatives.map((one) => `${one.rank} ${one.text}${one.shown ? ' *' : ''}`);
}

describe('alternatives of a reply', () => {
  it('come best first, whichever is shown', () => {
    const candidates = [
      aCandidate({ index: 0, text: 'good', score: -1 }),
      aCandidate({ index: 1, text: 'poor', score: -3 }),
      aCandidate({ index: 2, text: 'fair', score: -2 }),
    ];
    expect(listed(candidates, 'k_2')).toEqual(['1 good', '2 fair *', '3 poor']);
  });

  it('are finished and passed the filters', () => {
    const candidates = [
      aCandidate({ index: 0, text: 'shown' }),
      aCandidate({ index: 1, text: 'dropped half', finishReason: 'dropped' }),
      aCandidate({ index: 2, text: 'stopped half', finishReason: 'cancelled' }),
      aCandidate({ index: 3, text: 'a loop a loop', filterReason: 'loop' }),
      aCandidate({ index: 4, text: '', filterReason: null }),
      aCandidate({ index: 5, text: 'as long as may be', finishReason: 'length' }),
    ];
    expect(listed(candidates, 'k_0')).toEqual(['1 shown *', '2 as long as may be']);
  });

  it('have different texts: of equal ones the shown one stays, else the better one', () => {
    const candidates = [
      aCandidate({ index: 0, text: 'same', score: -1 }),
      aCandidate({ index: 1, text: 'twice', score: -2 }),
      aCandidate({ index: 2, text: 'same', score: -3 }),
      aCandidate({ index: 3, text: 'twice', score: -4 }),
    ];
    expect(listed(candidates, 'k_2')).toEqual(['1 twice', '2 same *']);
    expect(listed(candidates, 'k_0')).toEqual(['1 same *', '2 twice']);
  });

  it('hold the shown one also where the user stopped it, with the text that stands there', () => {
    const candidates = [
      aCandidate({ index: 0, text: 'Once upon a', finishReason: 'cancelled', score: -2 }),
      aCandidate({ index: 1, text: 'whole', score: -1 }),
    ];
    expect(listed(candidates, 'k_0', 'Once upon')).toEqual(['1 whole', '2 Once upon *']);
    expect(listed(candidates, 'k_1')).toEqual(['1 whole *']);
  });

  it('hold no fixed line: it is no candidate', () => {
    const filtered = [aCandidate({ index: 0, text: '', filterReason: 'empty' })];
    expect(listed(filtered, null, 'I do not know what to say to that.')).toEqual([]);
    expect(listed([], null, 'Give me a moment.')).toEqual([]);
  });

  it('of an empty reply are those that are not empty', () => {
    const candidates = [
      aCandidate({ index: 0, text: '', finishReason: 'cancelled' }),
      aCandidate({ index: 1, text: 'whole' }),
    ];
    expect(listed(candidates, 'k_0')).toEqual(['1 whole']);
  });

  it('put what nobody scored last, in the order of the candidates', () => {
    const candidates = [
      aCandidate({ index: 0, text: 'a', score: null }),
      aCandidate({ index: 1, text: 'b', score: null }),
      aCandidate({ index: 2, text: 'c', score: -9 }),
    ];
    expect(listed(candidates, 'k_1')).toEqual(['1 c', '2 a', '3 b *']);
  });
});
