import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPreview } from '../../../src/storage/preview.ts';

const text = fc.string({ unit: fc.constantFrom('a', '😀', '\u0000'), minLength: 100, maxLength: 140 });

describe('the preview of a message', () => {
  it('keeps at most 120 units of its text, well-formed, and drops no more than one unit for that', () => {
    fc.assert(
      fc.property(text, (original) => {
        const { text: cut } = toPreview('user', original);
        expect(original.startsWith(cut)).toBe(true);
        expect(cut.isWellFormed()).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(120);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(original.length, 119));
      }),
      { numRuns: 1000, seed: 2 },
    );
  });

  it('leaves a text alone that fits', () => {
    const fits = `${'x'.repeat(118)}😀`;
    expect(toPreview('companion', fits)).toStrictEqual({ role: 'companion', text: fits });
  });
});
