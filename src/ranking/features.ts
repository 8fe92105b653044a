/**
 * What is measured on a candidate. Pure functions of texts and likelihoods, bounded in time for any input; each value says its unit.
 */
import type { RankContext } from '../conversation/generator.ts';
import type { Contender } from '../engine/request.ts';
import { longestCommonPart, wordsOf } from './words.ts';

export type FeatureName =
  | 'logLikelihood'
  | 'repetition'
  | 'ownTurnOverlap'
  | 'userOverlap'
  | 'shortness'
  | 'question';

export type Features = Readonly<Record<FeatureName, number>>;

/** Earlier own turns that are compared with; older ones may come again. */
const ownTurnsMax = 8;
/** Words below which a finished reply counts as short. */
const shortWords = 5;

export function featuresOf(contender: Contender, { userTurn, ownTurns }: RankContext): Features {
  const words = wordsOf(contender.text);
  const own = ownTurns.slice(-ownTurnsMax).map((turn) => shareInCommon(words, wordsOf(turn)));
  return {
    logLikelihood: contender.logProb / Math.max(1, contender.tokens),
    repetition: repetitionOf(words),
    ownTurnOverlap: Math.max(0, ...own),
    userOverlap: shareInCommon(words, wordsOf(userTurn)),
    // A beginning is not punished for being one.
    shortness: contender.isEnded ? Math.max(0, 1 - words.length / shortWords) : 0,
    question: /[?？]["'”’)\]]*$/u.test(contender.text) ? 1 : 0,
  };
}

/** Share of the pairs of neighbouring words that stood there before; 0 to 1. Loops come near 1. */
export function repetitionOf(words: readonly string[]): number {
  if (words.length < 2) return 0;
  const pairs = words.slice(1).map((word, place) => `${words[place]} ${word}`);
  return 1 - new Set(pairs).size / pairs.length;
}

/**
 * Longest part in common with another text, as a share of the candidate's words; 0 to 1. Three words in a row are ordinary
 * language and count as none. The rule of Adiwardana et al. 2020 (Meena): replies with a long common part with earlier turns of the
 * same side are repetitions.
 */
export function shareInCommon(words: readonly string[], others: readonly string[]): number {
  const common = longestCommonPart(words, others);
  return common <= 3 ? 0 : common / words.length;
}
