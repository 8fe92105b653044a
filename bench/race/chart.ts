/** bench/results/race.svg: what a race costs against what it loses, a line for each drop schedule, a point for each commit. */
import { type Panel, renderChart } from '../plot.ts';
import type { Evaluation } from './evaluate.ts';

interface Measured {
  readonly name: string;
  readonly long: Evaluation;
  readonly all: Evaluation;
}

export function renderRaceChart(points: readonly Measured[]): string {
  const panel = (subset: 'long' | 'all', name: string): Panel => {
    const at = (point: Measured) => [point[subset].tokenShare, point[subset].regret] as const;
    const schedules = new Map<string, Measured[]>();
    for (const point of points) {
      const schedule = /^commit \d+, drop (.+)$/.exec(point.name)?.[1];
      if (schedule !== undefined) schedules.set(schedule, [...(schedules.get(schedule) ?? []), point]);
    }
    const usual = points.find((point) => point.name === 'default');
    return {
      x: { label: `tokens computed, share of ten whole candidates (${name})`, from: 0, to: 1 },
      y: { label: 'regret', from: 0 },
      series: [
        ...[...schedules].map(([schedule, own]) => ({
          name: `drop: ${schedule}`,
          kind: 'line' as const,
          points: own.map(at),
        })),
        ...(usual === undefined
          ? []
          : [{ name: 'default settings', kind: 'points' as const, points: [at(usual)], label: 'default' }]),
      ],
      marks: [{ at: 0.5, name: 'aim: at most half' }],
    };
  };
  return renderChart({
    title: 'Racing: tokens computed against regret of the final rank score, commit after 4 to 64 tokens',
    panels: [panel('long', 'replies of 40 tokens or more on average'), panel('all', 'all contexts')],
  });
}
