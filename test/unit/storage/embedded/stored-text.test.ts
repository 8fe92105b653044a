import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, fromStoredText, toStoredText } from '../../../../src/storage/embedded/stored-text.ts';

const text = fc.string({ unit: fc.constantFrom('\u0000', '\u0001', '0', '1', 'a', '😀'), maxLength: 12 });

describe('stored text', () => {
  it('holds no U+0000 and reads back as it was', () => {
    fc.assert(
      fc.property(text, (original) => {
        const stored = toStoredText(original);
        expect(stored).not.toContain('\u0000');
        expect(fromStoredText(stored)).toBe(original);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('is the text itself, unless that holds U+0000 or U+0001', () => {
    expect(toStoredText('Plain 😀 text\n')).toBe('Plain 😀 text\n');
  });

  it('is empty exactly for the empty text, which queries rely on', () => {
    expect(toStoredText('')).toBe('');
    expect(toStoredText('\u0000')).not.toBe('');
  });
});

describe('cutting a text', () => {
  it('keeps at most the given units, well-formed, and drops no more than one unit for that', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 12 }), (original, unitsMax) => {
        const cut = cutText(original, unitsMax);
        expect(original.startsWith(cut)).toBe(true);
        expect(cut.isWellFormed()).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(unitsMax);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(original.length, unitsMax - 1));
      }),
      { numRuns: 1000, seed: 2 },
    );
  });

  it('leaves a text alone that fits', () => {
    expect(cutText('12😀', 4)).toBe('12😀');
    expect(cutText('12😀', 3)).toBe('12');
  });
});
