import { describe, expect, it } from 'vitest';
import { poissonArrivals } from '../../../bench/load/arrivals.ts';
import type { Attempt } from '../../../bench/load/person.ts';
import { recoverySeconds, type Sample, summarizePhase } from '../../../bench/load/summarize.ts';

const attempt = (scheduledAt: number, own: Partial<Attempt> = {}): Attempt => ({
  scheduledAt,
  lateMs: 0,
  ackMs: 5,
  refused: null,
  retryAfterMs: null,
  firstTextMs: 100,
  endMs: 1000,
  outcome: 'stop',
  level: 1,
  candidates: 10,
  gapsMs: [20, 30],
  characters: 50,
  wrongs: [],
  ...own,
});
const sample = (at: number, own: Partial<Sample> = {}): Sample => ({
  at,
  tokens: 0,
  residentBytes: 1e9,
  cpuMs: 0,
  level: 1,
  queueAgeMs: 0,
  queued: 0,
  running: 0,
  steps: 0,
  connections: 0,
  rowSteps: 0,
  replies: 0,
  ...own,
});

describe('poissonArrivals', () => {
  it('has as many arrivals as its rates say, in order, the same for a seed', () => {
    const plan = { factors: [1, 3], seconds: 100, rate: 10 };
    const { phases, times } = poissonArrivals(plan, 1);
    expect(phases).toEqual([
      { name: '1x', from: 0, to: 100 },
      { name: '3x', from: 100, to: 200 },
    ]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const inFirst = times.filter((time) => time < 100).length;
    // Four standard deviations.
    expect(Math.abs(inFirst - 1000)).toBeLessThan(4 * Math.sqrt(1000));
    expect(Math.abs(times.length - inFirst - 3000)).toBeLessThan(4 * Math.sqrt(3000));
    expect(poissonArrivals(plan, 1).times).toEqual(times);
    expect(poissonArrivals(plan, 2).times).not.toEqual(times);
  });
});

describe('summarizePhase', () => {
  const phase = { name: '1x', from: 10, to: 20 };

  it('counts a reply as goodput where it ended, and as an arrival where it was due', () => {
    const early = attempt(9.5);
    const late = attempt(19.5);
    const { arrivalsPerSecond, goodputPerSecond } = summarizePhase(phase, [early, attempt(12), late], []);
    expect([arrivalsPerSecond, goodputPerSecond]).toEqual([0.2, 0.2]);
  });

  it('takes no canned, refused or failed one for a good one', () => {
    const attempts = [
      attempt(11, { outcome: 'canned' }),
      attempt(12, { outcome: null, endMs: null, firstTextMs: null, refused: 'overloaded', ackMs: 7 }),
      attempt(13, { outcome: 'failed: generation_failed' }),
    ];
    expect(summarizePhase(phase, attempts, [])).toMatchObject({
      goodputPerSecond: 0,
      canned: 1,
      refused: 1,
      failed: 1,
      refusalMs: { p50: 7, p99: 7, max: 7 },
    });
  });

  it('reads rates and the fill of the batch off the first and the last sample of its time', () => {
    const samples = [
      sample(9, { tokens: 5 }),
      sample(10, { tokens: 100, steps: 10, rowSteps: 50 }),
      sample(19, { tokens: 1000, steps: 110, rowSteps: 1250, level: 3 }),
    ];
    expect(summarizePhase(phase, [], samples)).toMatchObject({
      tokensPerSecond: 100,
      rows: 12,
      level: { mean: 2, last: 3 },
    });
  });
});

describe('recoverySeconds', () => {
  const aim = { overloadEnd: 30, candidates: 10, firstTextMs: 500 };

  it('is when a reply has all candidates again and its text is as fast as before', () => {
    const attempts = [
      attempt(29),
      attempt(31, { candidates: 1 }),
      attempt(33, { firstTextMs: 900 }),
      attempt(34.5),
      attempt(35),
    ];
    expect(recoverySeconds(attempts, aim)).toBe(4.5);
  });

  it('is none where that never comes', () => {
    expect(recoverySeconds([attempt(31, { candidates: 4 })], aim)).toBeNull();
  });
});
