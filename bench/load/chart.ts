/** bench/results/load.svg: the same seconds in panels below each other. */
import { type Panel, renderChart, type Series } from '../plot.ts';
import type { Phase } from './arrivals.ts';
import type { Attempt } from './person.ts';
import { isGood, type Sample } from './summarize.ts';

/** Seconds that a point of a rate stands for. */
const bin = 2;

export function renderLoadChart(
  phases: readonly Phase[],
  attempts: readonly Attempt[],
  samples: readonly Sample[],
): string {
  const end = phases.at(-1)?.to ?? 0;
  const rate = (name: string, times: readonly number[]): Series => ({
    name,
    kind: 'steps',
    points: Array.from({ length: Math.ceil(end / bin) }, (_, index) => {
      const count = times.filter((time) => time >= index * bin && time < (index + 1) * bin).length;
      return [index * bin, count / bin] as const;
    }),
  });
  const dots = (name: string, own: readonly Attempt[], y: (attempt: Attempt) => number | null): Series => ({
    name,
    kind: 'points',
    points: own.flatMap((one) => {
      const value = y(one);
      return value === null || Number.isNaN(value) ? [] : [[one.scheduledAt, value] as const];
    }),
  });
  const good = attempts.filter(isGood);
  const endOf = (one: Attempt) => one.scheduledAt + (one.endMs ?? 0) / 1000;
  const marks = phases.map(({ from, name }) => ({ at: from, name }));
  const panel = (label: string, series: readonly Series[]): Panel => ({
    x: { label: 'seconds', from: 0, to: end },
    y: { label, from: 0 },
    series,
    marks,
  });
  const ended = (kind: 'canned' | 'refused') =>
    attempts.filter((one) => (kind === 'canned' ? one.outcome === 'canned' : one.refused !== null));
  return renderChart({
    title: 'Step load: what comes, what is answered, and what is given up for it',
    panels: [
      panel('per second', [
        rate(
          'arrivals',
          attempts.map(({ scheduledAt }) => scheduledAt),
        ),
        rate('replies ended', good.map(endOf)),
        rate(
          'canned',
          ended('canned').map(({ scheduledAt }) => scheduledAt),
        ),
        rate(
          'refused',
          ended('refused').map(({ scheduledAt }) => scheduledAt),
        ),
      ]),
      panel('candidates, level', [
        dots('candidates of a reply', good, ({ candidates }) => candidates),
        { name: 'load level', kind: 'steps', points: samples.map(({ at, level }) => [at, level]) },
      ]),
      panel('first text, s', [
        dots('first text', good, ({ firstTextMs }) => (firstTextMs === null ? null : firstTextMs / 1000)),
        {
          name: 'queue age',
          kind: 'line',
          points: samples.map(({ at, queueAgeMs }) => [at, queueAgeMs / 1000]),
        },
      ]),
      panel('answer to a refused one, ms', [dots('refusal', ended('refused'), ({ ackMs }) => ackMs)]),
    ],
  });
}
