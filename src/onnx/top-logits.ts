import type { RowLogits } from '../engine/model-runner.ts';

/**
 * The `topK` most likely of all logits of a row, and the logarithm of the sum of their exponentials: what graphs of our own do
 * themselves, for those that return everything.
 */
export function topLogits(logits: Float32Array, topK: number): RowLogits {
  const values = new Float32Array(topK).fill(Number.NEGATIVE_INFINITY);
  const ids = new Int32Array(topK);
  let least = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id += 1) {
    const value = logits[id]!;
    // Nearly every logit ends here; of equal ones the first is kept, which has the smaller id.
    if (!(value > least)) continue;
    let place = topK - 1;
    for (; place > 0 && values[place - 1]! < value; place -= 1) {
      values[place] = values[place - 1]!;
      ids[place] = ids[place - 1]!;
    }
    values[place] = value;
    ids[place] = id;
    least = values[topK - 1]!;
  }
  return { values, ids, logSumExp: logSumExp(logits, values[0]!) };
}

/** @param largest of the logits: taken out first, so that no exponential overflows. */
function logSumExp(logits: Float32Array, largest: number): number {
  let sum = 0;
  for (let id = 0; id < logits.length; id += 1) sum += Math.exp(logits[id]! - largest);
  return largest + Math.log(sum);
}

/** Natural logarithm of the probability of one token. */
export function logProbability(logits: Float32Array, id: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i += 1) largest = Math.max(largest, logits[i]!);
  return logits[id]! - logSumExp(logits, largest);
}
