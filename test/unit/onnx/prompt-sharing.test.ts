/** The lists by which a batch looks its prompts up: each line finds its prompt, and finds back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharePrompts } from '../../../src/onnx/prompt-sharing.ts';

test('three rows of two prompts: a seat that nobody has repeats a line', () => {
  const sharing = sharePrompts([0, 1, 0], { kvHeads: 1, group: 2 });
  expect(sharing.toPrompts).toEqual({ data: BigInt64Array.of(0n, 1n, 4n, 5n, 2n, 3n, 0n, 1n), dims: [2, 4] });
  expect(sharing.fromPrompts).toEqual({ data: BigInt64Array.of(0n, 1n, 4n, 5n, 2n, 3n), dims: [3, 2] });
});

test('a prompt slot without a row is told', () => {
  expect(sharePrompts([0, 2], { kvHeads: 1, group: 1 })).toMatchObject({ prompts: 3, isGapless: false });
});

test('every line of every row stands at its own prompt and head, and is found there again', () => {
  const anyBatch = fc.array(fc.nat(5), { minLength: 1, maxLength: 12 });
  const anyHeads = fc.record({
    kvHeads: fc.integer({ min: 1, max: 4 }),
    group: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(anyBatch, anyHeads, (wanted, { kvHeads, group }) => {
      const order = [...new Set(wanted)].sort((a, b) => a - b);
      const promptSlots = wanted.map((slot) => order.indexOf(slot));
      const { prompts, isGapless, toPrompts, fromPrompts } = sharePrompts(promptSlots, { kvHeads, group });
      expect(isGapless).toBe(true);
      expect(prompts).toBe(order.length);
      const [blocks, perBlock] = toPrompts.dims as [number, number];
      expect(blocks).toBe(prompts * kvHeads);
      expect(toPrompts.data).toHaveLength(blocks * perBlock);
      const places = [...fromPrompts.data].map(Number);
      expect(new Set(places).size).toBe(promptSlots.length * kvHeads * group);
      for (const [line, place] of places.entries()) {
        expect(Number(toPrompts.data[place])).toBe(line);
        const row = Math.floor(line / (kvHeads * group));
        const head = Math.floor(line / group) % kvHeads;
        expect(Math.floor(place / perBlock)).toBe(promptSlots[row]! * kvHeads + head);
      }
    }),
    { seed: 42 },
  );
});
