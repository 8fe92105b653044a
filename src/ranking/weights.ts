import type { Features } from './features.ts';

/**
 * Chosen by hand, not learned: one unit of the score is about one standard deviation of the mean log-likelihood among ten candidates of
 * the default model, and what people complain about in chat (repeating oneself, echoing, one-word replies) costs more than any likelihood
 * gains. Change the version with the weights: it is stored with what they decided.
 */
export const rankerVersion = 'features@1';

export const weights: Features = {
  logLikelihood: 4,
  repetition: -4,
  ownTurnOverlap: -3,
  userOverlap: -2,
  shortness: -2,
  question: 0.25,
};
