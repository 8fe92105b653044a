/** How much a word says, from how often people use it in talk. */
import { rareNats, wordFrequencies } from './weights/word-frequencies.ts';

const surprisals: ReadonlyMap<string, number> = new Map(
  wordFrequencies
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [nats, ...words] = line.split(' ');
      return words.map((word) => [word, Number(nats)] as const);
    }),
);

/** Negative natural logarithm of the word's share in talk, in nats; words that are not listed are as rare as the rarest. */
export function surprisalOf(word: string): number {
  return surprisals.get(word) ?? rareNats;
}

/** Below this many nats a word is grammar or a filler, and says nothing of a subject. */
const plainNats = 6.5;

/** What a word contributes to the subject of a text, in nats; 0 for the commonest. */
export function subjectWeightOf(word: string): number {
  return Math.max(0, surprisalOf(word) - plainNats);
}
