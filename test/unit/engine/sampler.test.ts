/** The sampler against cases worked out by hand (test/fixtures/sampler-cases.json), and its promises for any input. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RowLogits } from '../../../src/engine/model-runner.ts';
import type { SamplingParams } from '../../../src/engine/request.ts';
import { Sampler } from '../../../src/engine/sampler.ts';
import golden from '../../fixtures/sampler-cases.json' with { type: 'json' };

const TOP_K = 8;
const plain: SamplingParams = { temperature: 1, topK: TOP_K, topP: 1, repetitionPenalty: 1, seed: 5 };

function toLogits(values: readonly number[], ids?: readonly number[], logSumExp = 3): RowLogits {
  return { values: Float32Array.from(values), ids: Int32Array.from(ids ?? values.keys()), logSumExp };
}

/** Tokens of draws at the places 0..count-1. */
function drawMany(
  logits: RowLogits,
  sampling: SamplingParams,
  { count, written = [] }: { count: number; written?: readonly number[] },
): number[] {
  const sampler = new Sampler(logits.values.length);
  return Array.from({ length: count }, (_, generated) => {
    expect(sampler.sample(logits, { sampling, index: 0, generated, written: new Set(written) })).toBe(
      'drawn',
    );
    return sampler.token;
  });
}

describe('golden cases', () => {
  test('are of the version that this test reads', () => {
    expect(golden.specVersion).toBe(1);
  });

  test.each(golden.cases)('$name', ({ values, ids, logSumExp, written, params, at, expected }) => {
    const sampler = new Sampler(values.length);
    const outcome = sampler.sample(toLogits(values, ids, logSumExp), {
      sampling: { ...params, seed: at.seed },
      index: at.candidate,
      generated: at.position,
      written: new Set(written),
    });
    expect(outcome).toBe('drawn');
    expect({ token: sampler.token, logProb: sampler.logProb }).toEqual(expected);
  });
});

describe('input that is not finite', () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  test.each([
    { name: 'NaN in the first value', logits: toLogits([nan, 1, 0]) },
    { name: 'NaN in the last value', logits: toLogits([2, 1, nan]) },
    { name: 'minus infinity everywhere', logits: toLogits([-inf, -inf, -inf]) },
    { name: 'minus infinity in the last value', logits: toLogits([2, 1, -inf]) },
    { name: 'infinity', logits: toLogits([inf, 1, 0]) },
    { name: 'a NaN sum', logits: toLogits([2, 1, 0], [0, 1, 2], nan) },
  ])('$name is an outcome of its own, greedy or not', ({ logits }) => {
    const sampler = new Sampler(3);
    for (const temperature of [0, 1]) {
      const sampling = { ...plain, temperature, topK: 1 };
      const sequence = { sampling, index: 0, generated: 0, written: new Set<number>() };
      expect(sampler.sample(logits, sequence)).toBe('not_finite');
    }
  });

  test('leaves no trace in the next draw', () => {
    const sampler = new Sampler(3);
    const sequence = { sampling: plain, index: 0, generated: 0, written: new Set<number>() };
    const good = toLogits([2, 1, 0]);
    sampler.sample(good, sequence);
    const { token } = sampler;
    sampler.sample(toLogits([nan, nan, nan]), sequence);
    expect(sampler.sample(good, sequence)).toBe('drawn');
    expect(sampler.token).toBe(token);
  });
});

test('tokens are drawn as often as the model says', () => {
  const probabilities = [0.5, 0.3, 0.15, 0.05];
  const logits = toLogits(probabilities.map(Math.log));
  const draws = drawMany(logits, { ...plain, topK: 4 }, { count: 20_000 });
  probabilities.forEach((probability, token) => {
    const share = draws.filter((drawn) => drawn === token).length / draws.length;
    // Four standard deviations of a share of 20,000 draws are at most 0.0142.
    expect(Math.abs(share - probability)).toBeLessThan(0.0142);
  });
});

const anyLogits = fc
  .record({
    values: fc.array(fc.integer({ min: -40, max: 40 }), { minLength: TOP_K, maxLength: TOP_K }),
    ids: fc.shuffledSubarray([...Array(30).keys()], { minLength: TOP_K, maxLength: TOP_K }),
  })
  .map(({ values, ids }) => {
    const entries = ids.map((id, index) => ({ id, value: values[index]! / 4 }));
    entries.sort((a, b) => b.value - a.value || a.id - b.id);
    return toLogits(
      entries.map(({ value }) => value),
      entries.map(({ id }) => id),
      12,
    );
  });

const anySampling = fc.record({
  temperature: fc.constantFrom(0, 1e-6, 0.3, 1, 3),
  topK: fc.integer({ min: 1, max: TOP_K }),
  topP: fc.constantFrom(1e-9, 0.2, 0.5, 0.9, 1),
  repetitionPenalty: fc.constantFrom(0.8, 1, 1.2, 2),
  seed: fc.integer({ min: 0, max: 0xffffffff }),
});

const anyWritten = fc.uniqueArray(fc.integer({ min: 0, max: 29 }));

/** The rules of the sampler written down a second time, with arrays that are made anew. */
function keptTokens(logits: RowLogits, sampling: SamplingParams, written: readonly number[]): number[] {
  const entries = Array.from(logits.ids, (id, index) => {
    const value = logits.values[index]!;
    if (!written.includes(id)) return { id, value };
    const penalty = sampling.repetitionPenalty;
    return { id, value: value > 0 ? value / penalty : value * penalty };
  });
  entries.sort((a, b) => b.value - a.value || a.id - b.id);
  if (sampling.temperature === 0) return [entries[0]!.id];
  const kept = entries.slice(0, sampling.topK);
  const weights = kept.map(({ value }) => Math.exp((value - kept[0]!.value) / sampling.temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  const nucleus = kept.filter((_, rank) => {
    const isOpen = rank === 0 || mass < sampling.topP * total;
    mass += weights[rank]!;
    return isOpen;
  });
  return nucleus.map(({ id }) => id);
}

test('every draw lies in the nucleus, and its log-probability is that of the model', () => {
  fc.assert(
    fc.property(anyLogits, anySampling, anyWritten, (logits, sampling, written) => {
      const kept = keptTokens(logits, sampling, written);
      const sampler = new Sampler(TOP_K);
      for (let generated = 0; generated < 20; generated++) {
        const sequence = { sampling, index: 1, generated, written: new Set(written) };
        expect(sampler.sample(logits, sequence)).toBe('drawn');
        expect(kept).toContain(sampler.token);
        expect(sampler.logProb).toBe(logits.values[logits.ids.indexOf(sampler.token)]! - 12);
      }
    }),
    { seed: 42, numRuns: 200 },
  );
});

test('a draw depends on its place alone: not on the draws before it, nor on their order', () => {
  fc.assert(
    fc.property(anyLogits, anySampling, anyWritten, (logits, sampling, written) => {
      const places = [0, 1, 2, 3, 4, 5, 6, 7];
      const forwards = new Sampler(TOP_K);
      const at = (sampler: Sampler, generated: number) => {
        sampler.sample(logits, { sampling, index: 2, generated, written: new Set(written) });
        return sampler.token;
      };
      const inOrder = places.map((place) => at(forwards, place));
      const backwards = places.toReversed().map((place) => at(forwards, place));
      const anew = places.map((place) => at(new Sampler(TOP_K), place));
      expect(backwards.toReversed()).toEqual(inOrder);
      expect(anew).toEqual(inOrder);
    }),
    { seed: 42, numRuns: 200 },
  );
});

test('candidates of one seed differ, and so do seeds', () => {
  const logits = toLogits([0, 0, 0, 0, 0, 0, 0, 0]);
  const sampler = new Sampler(TOP_K);
  const draw = (seed: number, index: number) =>
    Array.from({ length: 16 }, (_, generated) => {
      sampler.sample(logits, { sampling: { ...plain, seed }, index, generated, written: new Set() });
      return sampler.token;
    }).join();
  const texts = [draw(1, 0), draw(1, 1), draw(1, 2), draw(2, 0), draw(2, 1)];
  expect(new Set(texts).size).toBe(texts.length);
});
