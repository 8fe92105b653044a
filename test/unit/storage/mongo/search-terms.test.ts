import { describe, expect, it } from 'vitest';
import { excerptOf, termsOf, wantedTerms, wordsOf } from '../../../../src/storage/mongo/search-terms.ts';

describe('the words of a text', () => {
  it('are its letters and digits, without case and accents, in any script', () => {
    expect(wordsOf('We met in the Café at MÜNCHEN, 2026!')).toEqual([
      ...['we', 'met', 'in', 'the', 'cafe', 'at', 'munchen', '2026'],
    ]);
    expect(wordsOf('Привет, 世界 "x" -- …')).toEqual(['привет', '世界', 'x']);
    expect(wordsOf('?!')).toEqual([]);
  });
});

describe('the terms of a text', () => {
  it('are each word as a whole and its beginnings, of six letters at most', () => {
    expect(termsOf('Mun munchen')).toEqual(['mun=', 'm', 'mu', 'mun', 'munchen=', 'munc', 'munch', 'munche']);
  });

  it('hold what a query wants, whose last word may have been begun', () => {
    const terms = new Set(termsOf('The Munich orchestra'));
    const holds = (query: readonly string[]) => wantedTerms(query)?.all.every((term) => terms.has(term));
    expect(holds(['munich', 'the'])).toBe(true);
    expect(holds(['the', 'orch'])).toBe(true);
    expect(holds(['orch', 'the'])).toBe(false);
    expect(wantedTerms(['orchestra'])).toEqual({ all: ['orches'], begun: 'orchestra' });
    expect(wantedTerms(['a', 'munich', 'orchestra'])?.all).toEqual(['orches', 'munich=', 'a=']);
    expect(wantedTerms(['the', 'orc'])?.all).toEqual(['the=', 'orc']);
    expect(wantedTerms(['—'])).toBeNull();
  });
});

describe('an excerpt', () => {
  const long = `${'far '.repeat(50)}needle${' away'.repeat(50)}`;

  it('is a short text as a whole, and of a long one the words around the first that was looked for', () => {
    expect(excerptOf('A needle.', ['needle'])).toBe('A needle.');
    expect(excerptOf(long, ['need'])).toMatch(/^…(far ){12}needle( away){11}…$/);
  });

  it('begins or ends with the text where the word is near its beginning or end, or is not there', () => {
    expect(excerptOf(long, ['far'])).toMatch(/^far .*…$/);
    expect(excerptOf(`${long} end`, ['end'])).toMatch(/^….* end$/);
    expect(excerptOf(long, ['nothing'])).toMatch(/^far .*…$/);
  });
});
