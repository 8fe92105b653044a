import type { RowLogits } from './model-runner.ts';
import type { SamplingParams } from './request.ts';
import { uniformAt } from './uniform.ts';

/** What the sampler has to know about the sequence it draws for. */
export interface SampledSequence {
  readonly sampling: SamplingParams;
  /** Candidate index: candidates of one request draw from different streams. */
  readonly index: number;
  /** Tokens generated so far; the place of the draw. */
  readonly generated: number;
  /** Ids of the tokens generated so far: what the repetition penalty acts on. The prompt is not in it. */
  readonly written: ReadonlySet<number>;
}

/** `not_finite`: the logits hold NaN or an infinity, nothing was drawn. */
export type SampleOutcome = 'drawn' | 'not_finite';

/**
 * Draws the next token: penalty within the top-k of the runner, then temperature, `topK`, `topP`.
 *
 * A class only for its scratch memory, so that no draw allocates. A result depends on nothing but the
 * arguments; it stands in `token` and `logProb` until the next draw.
 */
export class Sampler {
  /** Token of the last draw. */
  token = 0;
  /** Natural-log probability of `token` under the untempered, unpenalised model. */
  logProb = 0;

  readonly #order: Int32Array;
  readonly #adjusted: Float64Array;
  readonly #weights: Float64Array;

  /** @param topK entries of a `RowLogits`: the runner's `limits.topK`. */
  constructor(topK: number) {
    this.#order = new Int32Array(topK);
    this.#adjusted = new Float64Array(topK);
    this.#weights = new Float64Array(topK);
  }

  sample(logits: RowLogits, sequence: SampledSequence): SampleOutcome {
    if (!holdsFiniteNumbers(logits)) return 'not_finite';
    const { sampling, index, generated } = sequence;
    this.#rank(logits, sequence);

    let rank = 0;
    if (sampling.temperature > 0) {
      const kept = Math.min(sampling.topK, logits.values.length);
      rank = this.#draw(kept, sampling, uniformAt(sampling.seed, index, generated));
    }
    const entry = this.#order[rank]!;
    this.token = logits.ids[entry]!;
    this.logProb = logits.values[entry]! - logits.logSumExp;
    return 'drawn';
  }

  /** Fills `#order` with the entries, most likely first after the penalty, and `#adjusted` with their logits. */
  #rank(logits: RowLogits, { sampling, written }: SampledSequence): void {
    const { values, ids } = logits;
    const order = this.#order;
    const adjusted = this.#adjusted;
    const penalty = sampling.repetitionPenalty;
    let isMoved = false;
    for (let entry = 0; entry < values.length; entry++) {
      const value = values[entry]!;
      const isPenalised = penalty !== 1 && written.has(ids[entry]!);
      adjusted[entry] = !isPenalised ? value : value > 0 ? value / penalty : value * penalty;
      order[entry] = entry;
      isMoved ||= isPenalised;
    }
    if (!isMoved) return;
    // Insertion sort: the entries are nearly in order, and it needs no memory.
    for (let sorted = 1; sorted < values.length; sorted++) {
      const entry = order[sorted]!;
      let place = sorted;
      while (place > 0 && this.#precedes(ids, entry, order[place - 1]!)) {
        order[place] = order[place - 1]!;
        place--;
      }
      order[place] = entry;
    }
  }

  #precedes(ids: Int32Array, a: number, b: number): boolean {
    const difference = this.#adjusted[a]! - this.#adjusted[b]!;
    return difference > 0 || (difference === 0 && ids[a]! < ids[b]!);
  }

  /** Rank of the drawn entry among the first `kept`. */
  #draw(kept: number, { temperature, topP }: SamplingParams, uniform: number): number {
    const weights = this.#weights;
    const highest = this.#adjusted[this.#order[0]!]!;
    let total = 0;
    for (let rank = 0; rank < kept; rank++) {
      const weight = Math.exp((this.#adjusted[this.#order[rank]!]! - highest) / temperature);
      weights[rank] = weight;
      total += weight;
    }

    let nucleus = 0;
    let mass = 0;
    while (nucleus < kept && (nucleus === 0 || mass < topP * total)) {
      mass += weights[nucleus]!;
      nucleus++;
    }

    // `drawn` follows the last weight above 0: where rounding lifts the target to the whole mass, an
    // impossible token must not be the one that is left.
    const target = uniform * mass;
    let reached = 0;
    let drawn = 0;
    for (let rank = 0; rank < nucleus && reached <= target; rank++) {
      reached += weights[rank]!;
      if (weights[rank]! > 0) drawn = rank;
    }
    return drawn;
  }
}

function holdsFiniteNumbers({ values, logSumExp }: RowLogits): boolean {
  if (!Number.isFinite(logSumExp)) return false;
  for (let entry = 0; entry < values.length; entry++) {
    if (!Number.isFinite(values[entry]!)) return false;
  }
  return true;
}
