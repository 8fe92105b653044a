import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, createHalfTable, toFloat32 } from '../../../models/checkpoints/float-formats.ts';
import { toHalf } from '../../../models/weights/half.ts';
import { stackRows } from '../../../models/weights/matrix.ts';
import { quantiseBlocks } from '../../../models/weights/nb8.ts';

describe('16-bit floats', () => {
  it.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0x7e00, Number.NaN],
  ])('0x%s is %d', (bits, value) => {
    expect(createHalfTable()[bits]).toBe(value);
  });

  it('are made of what they stand for, all of them', () => {
    const table = createHalfTable();
    const wrong = [...toHalf(table).entries()].filter(
      ([bits, made]) => made !== bits && !Number.isNaN(table[bits]),
    );
    expect(wrong).toEqual([]);
    expect(toHalf(Float32Array.of(Number.NaN))[0]).toBe(0x7e00);
  });

  it.each([
    ['between two, the nearer', 1 + 0.6 * 2 ** -10, 0x3c01],
    ['half-way, the even one below', 1 + 0.5 * 2 ** -10, 0x3c00],
    ['half-way, the even one above', 1 + 1.5 * 2 ** -10, 0x3c02],
    ['half-way between subnormals, the even one', 1.5 * 2 ** -24, 0x0002],
    ['the largest that is not yet infinite', 65519, 0x7bff],
    ['too large', 65520, 0x7c00],
    ['too small and negative', -(2 ** -26), 0x8000],
  ])('are rounded: %s', (_, value, bits) => {
    expect(toHalf(Float32Array.of(value))[0]).toBe(bits);
  });

  it('of the brain kind are the upper half of a float32', () => {
    expect([...bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc000, 0x4049))]).toEqual([1, -2, 3.140625]);
  });

  it('are read from any offset', () => {
    const bytes = new Uint8Array(5);
    new DataView(bytes.buffer).setFloat32(1, 2.5, true);
    expect([...toFloat32(bytes.subarray(1))]).toEqual([2.5]);
  });
});

describe('8-bit blocks', () => {
  const values = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i) * (i < 32 ? 1 : 100));

  it('are off by half a step of their own block at most', () => {
    const { codes, scales } = quantiseBlocks(values, 32);
    for (const [i, value] of values.entries()) {
      const scale = scales[Math.floor(i / 32)]!;
      expect(Math.abs((codes[i]! - 128) * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
    }
  });

  it('of zeros stay zeros', () => {
    expect(new Set(quantiseBlocks(new Float32Array(32), 32).codes)).toEqual(new Set([128]));
  });
});

describe('stacked matrices', () => {
  const part = (name: string, rows: number, first: number) => ({
    name,
    rows,
    columns: 2,
    readRows: async (from: number, to: number) =>
      Float32Array.from({ length: (to - from) * 2 }, (_, i) => first + from * 2 + i),
  });

  it('give the same rows however they are cut', async () => {
    const stacked = stackRows('both', [part('a', 3, 0), part('b', 4, 6)]);
    expect(stacked.rows).toBe(7);
    for (let from = 0; from < 7; from++) {
      for (let to = from + 1; to <= 7; to++) {
        const expected = Array.from({ length: (to - from) * 2 }, (_, i) => from * 2 + i);
        expect([...(await stacked.readRows(from, to))]).toEqual(expected);
      }
    }
  });

  it('must have one width', () => {
    expect(() => stackRows('both', [part('a', 3, 0), { ...part('b', 1, 0), columns: 3 }])).toThrow('width');
  });
});
