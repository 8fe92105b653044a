import { describe, expect, it } from 'vitest';
import { renderChart } from '../../../bench/plot.ts';

const panel = {
  x: { label: 'time, s' },
  y: { label: 'replies/s', from: 0 },
  series: [
    {
      name: 'goodput',
      kind: 'line' as const,
      points: [
        [0, 1],
        [10, 3],
      ] as const,
    },
  ],
};

describe('renderChart', () => {
  it('draws the first and the last point on the edges of its panel, and names axes and series', () => {
    const svg = renderChart({ title: 'Load', panels: [panel] });
    expect(svg).toContain('M70 184.7');
    expect(svg).toContain('L690 58');
    for (const text of ['Load', 'time, s', 'replies/s', 'goodput']) expect(svg).toContain(`>${text}</text>`);
  });

  it('draws steps at right angles', () => {
    const steps = { ...panel, series: [{ ...panel.series[0]!, kind: 'steps' as const }] };
    expect(renderChart({ title: 't', panels: [steps] })).toMatch(/M70 184\.7H690V58"/);
  });

  it('has round ticks', () => {
    const svg = renderChart({
      title: 't',
      panels: [{ ...panel, y: { label: 'y', from: 0, to: 0.5 }, series: [] }],
    });
    expect(svg).toContain('>0.1</text>');
    expect(svg).toContain('>0.5</text>');
  });

  it('takes no text as markup, and draws nothing where there is nothing', () => {
    const svg = renderChart({ title: '<b> & "c"', panels: [{ ...panel, series: [] }] });
    expect(svg).toContain('&#60;b&#62; &#38; &#34;c&#34;');
    expect(svg).not.toContain('NaN');
  });

  it('gives every panel its place', () => {
    const svg = renderChart({ title: 't', panels: [panel, panel, panel] });
    expect(svg).toContain('viewBox="0 0 860 794"');
  });
});
