import { describe, expect, it } from 'vitest';
import { renderBars } from '../../../bench/plot-bars.ts';
import { fitLine } from '../../../bench/soak/fit-line.ts';

describe('a fitted line', () => {
  it('has the slope of points on a line, without doubt', () => {
    const { slope, low, high } = fitLine([1, 2, 3, 4].map((x) => [x, 3 * x + 1]));
    for (const value of [slope, low, high]) expect(value).toBeCloseTo(3, 9);
  });

  it('has the interval of the textbook', () => {
    // Student's t of three degrees of freedom is 3.1824.
    const { slope, low, high } = fitLine([
      [0, 1],
      [1, 2],
      [2, 5],
      [3, 4],
      [4, 7.5],
    ]);
    expect(slope).toBeCloseTo(1.5, 9);
    expect(high - slope).toBeCloseTo(slope - low, 9);
    expect(high - slope).toBeCloseTo(3.1824 * standardError, 2);
  });
});

/** Of the slope through the points above, by its definition. */
const standardError = Math.sqrt(sumOfSquares() / 3 / 10);

function sumOfSquares(): number {
  const points = [1, 2, 5, 4, 7.5];
  const mean = points.reduce((sum, value) => sum + value, 0) / points.length;
  return points.reduce((sum, value, x) => sum + (value - mean - 1.5 * (x - 2)) ** 2, 0);
}

it('bars end with their numbers, and names are escaped', () => {
  const svg = renderBars({ title: 'a & b', groups: [{ name: '<x>', bars: [{ name: 'one', value: 12.5 }] }] });
  expect(svg).toContain('>12.5</text>');
  expect(svg).toContain('&#60;x&#62;');
  expect(svg).not.toContain('<x>');
});
