import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromStoredText, toStoredText } from '../../../../src/storage/embedded/stored-text.ts';

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
