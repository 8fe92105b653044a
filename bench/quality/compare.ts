/** Sums over the compared tokens; divide by `tokens` for means. */
export interface Comparison {
  tokens: number;
  /** Negative log-likelihood, natural logarithm. */
  referenceLoss: number;
  candidateLoss: number;
  /** Tokens where both models have the same favourite. */
  agreements: number;
  /** Kullback-Leibler divergence of each token, reference to candidate, natural logarithm. */
  readonly divergences: number[];
}

export const emptyComparison = (): Comparison => ({
  tokens: 0,
  referenceLoss: 0,
  candidateLoss: 0,
  agreements: 0,
  divergences: [],
});

/** Compares the two distributions of one position. Both arrays hold all logits. */
export function addPosition(
  sums: Comparison,
  { reference, candidate, target }: { reference: Float32Array; candidate: Float32Array; target: number },
): void {
  const left = summarise(reference);
  const right = summarise(candidate);
  let divergence = 0;
  for (let id = 0; id < reference.length; id++) {
    const logProb = reference[id]! - left.logSumExp;
    divergence += Math.exp(logProb) * (logProb - (candidate[id]! - right.logSumExp));
  }
  sums.tokens += 1;
  sums.referenceLoss += left.logSumExp - reference[target]!;
  sums.candidateLoss += right.logSumExp - candidate[target]!;
  sums.agreements += left.best === right.best ? 1 : 0;
  sums.divergences.push(divergence);
}

function summarise(logits: Float32Array): { best: number; logSumExp: number } {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  const largest = logits[best]!;
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id]! - largest);
  return { best, logSumExp: largest + Math.log(sum) };
}
