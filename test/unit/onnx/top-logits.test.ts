import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logProbability, topLogits } from '../../../src/onnx/top-logits.ts';

const logits = fc
  .array(fc.oneof(fc.float({ noNaN: true, min: -60, max: 60 }), fc.constantFrom(1, 2)), {
    minLength: 5,
    maxLength: 200,
  })
  .map((values) => Float32Array.from(values));

test('the likeliest tokens are those that sorting finds, ties by their ids', () => {
  fc.assert(
    fc.property(logits, fc.integer({ min: 1, max: 5 }), (values, topK) => {
      const order = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b).slice(0, topK);
      const top = topLogits(values, topK);
      expect([...top.ids]).toEqual(order);
      expect([...top.values]).toEqual(order.map((id) => values[id]));
    }),
  );
});

test('the log-probabilities of all tokens are those of a distribution', () => {
  fc.assert(
    fc.property(logits, (values) => {
      const { logSumExp } = topLogits(values, 1);
      let sum = 0;
      for (const id of values.keys()) {
        sum += Math.exp(logProbability(values, id));
        expect(logProbability(values, id)).toBeCloseTo(values[id]! - logSumExp, 5);
      }
      expect(sum).toBeCloseTo(1, 5);
    }),
  );
});

test('huge logits overflow nothing', () => {
  expect(topLogits(Float32Array.of(3e4, 3e4), 1).logSumExp).toBeCloseTo(3e4 + Math.log(2), 3);
});
