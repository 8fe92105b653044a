import type { Features } from '../features.ts';

/**
 * Made by `npm run bench -- ranker` and rounded: fitted to what people preferred, where judged replies have a feature at all, else judgement;
 * docs/ranking.md says which is which. One unit of the score is about one standard deviation among ten candidates of the default model.
 * Other weights get another version in a file of their own, since the version stands for what was decided by them.
 */
export const rankerVersion = 'features@3';

export const weights: Features = {
  logLikelihood: 1.65,
  plainLikelihood: -0.75,
  repetition: -6,
  ownTurnOverlap: -7.5,
  userOverlap: -4,
  topicOverlap: 2.25,
  shortness: -2.5,
  length: -0.4,
  question: -0.1,
  questionAgain: -0.7,
  clutter: -2,
  assistantVoice: -2,
  // Filtered in any case.
  roleLeak: -3,
};
