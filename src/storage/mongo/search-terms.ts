/** What a text is found by. Any server can index a list of words; a text index not every one has. */
import type { Message } from '../../conversation/message.ts';

/** Letters of a word that a search may have begun; of a longer one it is looked through what these have found. */
const prefixLettersMax = 6;
/** Words of an excerpt. */
const excerptWords = 24;

/** The words of a text: letters and digits, without case and accents. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)].map(([word]) => fold(word)).filter((word) => word !== '');
}

const fold = (word: string) => word.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();

/** Each word as a whole, marked by `=`, and its beginnings. */
export function termsOf(text: string): string[] {
  const terms = new Set<string>();
  for (const word of wordsOf(text)) {
    terms.add(`${word}=`);
    const letters = [...word].slice(0, prefixLettersMax);
    for (let count = 1; count <= letters.length; count += 1) terms.add(letters.slice(0, count).join(''));
  }
  return [...terms];
}

/** What the terms of a text have to hold, for a query whose last word may have been begun only. */
export interface WantedTerms {
  readonly all: readonly string[];
  /** A word that begins with this; null where `all` says it. */
  readonly begun: string | null;
}

/** Null for a query without any word: nothing is found by it. */
export function wantedTerms(query: readonly string[]): WantedTerms | null {
  const words = query.flatMap(wordsOf);
  const begun = words.at(-1);
  if (begun === undefined) return null;
  const letters = [...begun];
  const beginning = letters.slice(0, prefixLettersMax).join('');
  const wanted = [
    ...words.slice(0, -1).map((word) => ({ word, term: `${word}=` })),
    { word: begun, term: beginning },
  ];
  // A database goes by the first of them; the longer a word is, the fewer texts have it.
  wanted.sort((one, other) => other.word.length - one.word.length);
  const all = wanted.map(({ term }) => term);
  return { all, begun: letters.length > prefixLettersMax ? begun : null };
}

/** The part of a text around the first of the words. */
export function excerptOf(text: string, query: readonly string[]): string {
  const wanted = query.flatMap(wordsOf);
  const found = [...text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)];
  if (found.length <= excerptWords) return text;
  const hit = found.findIndex(([word]) => wanted.some((one) => fold(word).startsWith(one)));
  const first = Math.max(0, Math.min(hit - excerptWords / 2, found.length - excerptWords));
  const [begin, end] = [found[first], found[first + excerptWords - 1]];
  if (begin === undefined || end === undefined) return text;
  const from = first === 0 ? 0 : begin.index;
  const to = first + excerptWords === found.length ? text.length : end.index + end[0].length;
  return `${from > 0 ? '…' : ''}${text.slice(from, to)}${to < text.length ? '…' : ''}`;
}

/** Steps of `place` for each millisecond: messages of one millisecond are told apart by their `seq`. */
const placesPerMs = 512;

/** The fields by which a message is found; none for one without a word. */
export function findable({ text, createdAt, seq }: Pick<Message, 'text' | 'createdAt' | 'seq'>): {
  readonly terms?: readonly string[];
  readonly place?: number;
} {
  const terms = termsOf(text);
  if (terms.length === 0) return {};
  return { terms, place: createdAt * placesPerMs + (seq % placesPerMs) };
}
