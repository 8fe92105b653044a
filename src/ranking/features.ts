/**
 * What is measured on a candidate. Pure functions of texts and likelihoods with bounded work for any input; docs/ranking.md explains
 * each. A feature should say on a beginning what it will say on the whole text, since races are decided on beginnings.
 */
import type { Contender } from '../engine/request.ts';
import { subjectWeightOf, surprisalOf } from './familiarity.ts';
import { hasClutter, speaksAsAssistant, speaksForOthers } from './phrases.ts';
import { longestCommonPart, wordsOf } from './words.ts';

/** Smallest and largest value of each feature, whatever the text. */
export const featureRanges = {
  logLikelihood: [-10, 0],
  plainLikelihood: [-11, -3],
  repetition: [0, 1],
  ownTurnOverlap: [0, 1],
  userOverlap: [0, 1],
  topicOverlap: [0, 1],
  shortness: [0, 1],
  length: [0, 1],
  question: [0, 1],
  questionAgain: [0, 1],
  clutter: [0, 1],
  assistantVoice: [0, 1],
  roleLeak: [0, 1],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type FeatureName = keyof typeof featureRanges;
export type Features = Readonly<Record<FeatureName, number>>;

/** A dialog as the features look at it; the same for all candidates. */
export interface DialogWords {
  readonly userTurn: string;
  readonly user: readonly string[];
  /** Earlier own turns, newest last. */
  readonly own: readonly (readonly string[])[];
  /** Whether the last own turn ended with a question. */
  readonly ownAsked: boolean;
}

/**
 * Words at the beginning on which what a text is about is measured: a reply takes up a subject at once or not at all, long ones touch
 * on more without being better, and races are decided there. Li et al. 2016 (below) count the first words alone for a like reason.
 */
const openingWords = 12;

export function featuresOf(contender: Contender, dialog: DialogWords): Features {
  const { text } = contender;
  const words = wordsOf(text);
  const opening = words.slice(0, openingWords);
  return {
    logLikelihood: logLikelihoodOf(contender),
    plainLikelihood: plainLikelihoodOf(opening),
    repetition: repetitionOf(words),
    ownTurnOverlap: dialog.own.reduce((most, turn) => Math.max(most, overlapOf(words, turn)), 0),
    userOverlap: overlapOf(words, dialog.user),
    topicOverlap: topicOverlapOf(opening, dialog.user),
    shortness: contender.isEnded ? shortnessOf(words) : 0,
    length: lengthOf(words),
    question: endsWithQuestion(text) ? 1 : 0,
    questionAgain: dialog.ownAsked && endsWithQuestion(text) ? 1 : 0,
    clutter: hasClutter(text) ? 1 : 0,
    assistantVoice: speaksAsAssistant(text) && !speaksAsAssistant(dialog.userTurn) ? 1 : 0,
    roleLeak: speaksForOthers(text) ? 1 : 0,
  };
}

/** What the tokens of a beginning are averaged with: as many of an ordinary likelihood as tell most about the mean of the whole. */
const priorTokens = 40;
const priorNatsPerToken = 1.5;

/**
 * Mean natural-log probability of the tokens given prompt and text before, nats per token, under the untempered model; 0 is certain.
 * Length normalisation as in Wu et al. 2016 (arXiv:1609.08144), with exponent 1. Of a beginning it is what the mean of the whole is
 * expected to be: that of a few tokens is mostly chance, and would drown what the other features know already. The 40 tokens are
 * measured (bench/RESULTS.md, racing); between 20 and 60 little changes.
 */
export function logLikelihoodOf({
  logProb,
  tokens,
  isEnded,
}: Pick<Contender, 'logProb' | 'tokens' | 'isEnded'>): number {
  const [priorSum, priorCount] = isEnded ? [0, 0] : [-priorTokens * priorNatsPerToken, priorTokens];
  const mean = (logProb + priorSum) / Math.max(1, tokens + priorCount);
  return Number.isNaN(mean) ? -10 : Math.min(0, Math.max(-10, mean));
}

/** Words of middling frequency that are added to every text, so that its first words do not decide. */
const priorWords = 5;
const priorNats = 6;

/**
 * Mean log-probability of the words in talk, whatever is talked about, nats per word: the likelihood without context. Taken off the
 * likelihood with context it leaves the mutual information with the context, which generic replies lack: Li et al. 2016 (arXiv:1510.03055,
 * MMI-antiLM), here with a table of word frequencies in place of a second pass of the model, as in the specificity of See et al. 2019
 * (arXiv:1902.08654, NIDF).
 */
export function plainLikelihoodOf(words: readonly string[]): number {
  const sum = words.reduce((nats, word) => nats + surprisalOf(word), priorWords * priorNats);
  return -sum / (words.length + priorWords);
}

/** Share of the pairs of neighbouring words that stood there before. Loops come near 1. */
export function repetitionOf(words: readonly string[]): number {
  if (words.length < 2) return 0;
  const pairs = words.slice(1).map((word, place) => `${words[place]} ${word}`);
  return 1 - new Set(pairs).size / pairs.length;
}

/** Words in a row, and letters in them, that two texts of a language have in common without anybody repeating anybody. */
const ordinaryWords = 3;
const ordinaryLetters = 8;
/** Words in a row beyond those that make it a full repetition. */
const fullWords = 8;

/**
 * Longest part in common with another text: 0 up to three words in a row, 1 from eleven on. Not a share of the candidate, so that
 * what a beginning repeats is never mended by what follows. The rule of Adiwardana et al. 2020 (arXiv:2001.09977, Meena, 5.4): replies
 * with long common parts with earlier turns are repetitions.
 */
export function overlapOf(words: readonly string[], others: readonly string[]): number {
  const common = longestCommonPart(words, others);
  if (common <= ordinaryWords) return 0;
  // Scripts that count characters as words need more of them to say something.
  const perWord = words.reduce((sum, word) => sum + word.length, 0) / words.length;
  if (common * perWord <= ordinaryLetters) return 0;
  return Math.min(1, (common - ordinaryWords) / fullWords);
}

/** Letters by which words are compared, so that "work", "works" and "working" are one; truncation is the simplest stemmer. */
const stemLetters = 5;

/** Share of the user's subject that the candidate takes up: words in common, weighed by how much they say. 0 where there is none. */
export function topicOverlapOf(words: readonly string[], user: readonly string[]): number {
  const taken = new Set(words.map(stem));
  let total = 0;
  let shared = 0;
  for (const one of new Set(user)) {
    const weight = subjectWeightOf(one);
    total += weight;
    if (taken.has(stem(one))) shared += weight;
  }
  return total === 0 ? 0 : shared / total;
}

const stem = (word: string) => word.slice(0, stemLetters);

/** Words below which a finished reply is short. */
const shortWords = 6;
/** Words from which on a reply counts as long, and those that make it as long as can be: three or four sentences. */
const longWords = 30;
const longestWords = 80;

/** How far a finished reply stays below six words; 1 has none. */
export function shortnessOf(words: readonly string[]): number {
  return Math.max(0, 1 - words.length / shortWords);
}

/** How far a text is beyond thirty words; 1 from eighty on. Only grows while it is written. */
export function lengthOf(words: readonly string[]): number {
  return Math.min(1, Math.max(0, (words.length - longWords) / (longestWords - longWords)));
}

export function endsWithQuestion(text: string): boolean {
  return /[?？؟][\s"'”’)\]]{0,4}$/u.test(text.slice(-8));
}
