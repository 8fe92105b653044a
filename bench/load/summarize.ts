/** Attempts -> what the table, the verdicts and the plot show. Pure. */
import { quantile } from '../machine.ts';
import type { Figures } from '../server-process.ts';
import type { Phase } from './arrivals.ts';
import type { Attempt } from './person.ts';

/** The server's own figures at a moment, in seconds from the beginning. */
export interface Sample extends Figures {
  readonly at: number;
}

/** Whether a model wrote it to an end of its own: what goodput counts. */
export function isGood({ outcome }: Attempt): boolean {
  return outcome === 'stop' || outcome === 'length' || outcome === 'filtered';
}

export function summarizePhase(phase: Phase, attempts: readonly Attempt[], samples: readonly Sample[]) {
  const seconds = phase.to - phase.from;
  const own = attempts.filter(({ scheduledAt }) => scheduledAt >= phase.from && scheduledAt < phase.to);
  const refused = own.filter((one) => one.refused !== null);
  const good = own.filter(isGood);
  const during = samples.filter(({ at }) => at >= phase.from && at < phase.to);
  const last = during.at(-1);
  const first = during[0];
  const endedWithin = attempts.filter((one) => {
    const end = one.scheduledAt + (one.endMs ?? Number.NaN) / 1000;
    return isGood(one) && end >= phase.from && end < phase.to;
  });
  const mean = (values: readonly number[]) =>
    Math.round((100 * values.reduce((sum, value) => sum + value, 0)) / values.length) / 100;
  return {
    phase: phase.name,
    arrivalsPerSecond: round(own.length / seconds),
    /** Replies of the model that ended in this phase, per second. */
    goodputPerSecond: round(endedWithin.length / seconds),
    canned: own.filter(({ outcome }) => outcome === 'canned').length,
    refused: refused.length,
    failed: own.filter(({ outcome }) => outcome?.startsWith('failed') || outcome?.startsWith('disc')).length,
    firstTextMs: spread(good.map(({ firstTextMs }) => firstTextMs ?? Number.NaN)),
    wholeMs: spread(good.map(({ endMs }) => endMs ?? Number.NaN)),
    gapMs: spread(good.flatMap(({ gapsMs }) => gapsMs)),
    refusalMs: spread(refused.map(({ ackMs }) => ackMs)),
    ackMs: spread(own.filter(({ refused: code }) => code === null).map(({ ackMs }) => ackMs)),
    candidates: mean(good.map(({ candidates }) => candidates ?? 0)),
    level: { mean: mean(during.map(({ level }) => level)), last: last?.level ?? null },
    tokensPerSecond:
      first === undefined || last === undefined || last.at === first.at
        ? null
        : Math.round((last.tokens - first.tokens) / (last.at - first.at)),
    /** Mean over the steps of this phase: the fill of the batch. */
    rows: first === undefined || last === undefined ? null : rowsBetween(first, last),
    residentMb: Math.round((last?.residentBytes ?? 0) / 1e6),
    lateMs: spread(own.map(({ lateMs }) => lateMs)),
  };
}

function rowsBetween(first: Sample, last: Sample): number {
  return round((last.rowSteps - first.rowSteps) / (last.steps - first.steps));
}

function spread(values: readonly number[]) {
  return {
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    max: values.length === 0 ? Number.NaN : Math.round(Math.max(...values)),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;

/** Seconds from the end of the overload until a reply is raced by all candidates again and its text comes as fast as it did before. */
export function recoverySeconds(
  attempts: readonly Attempt[],
  { overloadEnd, candidates, firstTextMs }: { overloadEnd: number; candidates: number; firstTextMs: number },
): number | null {
  const after = attempts
    .filter((one) => one.scheduledAt >= overloadEnd && isGood(one))
    .sort((a, b) => a.scheduledAt - b.scheduledAt);
  const back = after.find(
    (one) => (one.candidates ?? 0) >= candidates && (one.firstTextMs ?? Number.NaN) <= firstTextMs,
  );
  return back === undefined ? null : round(back.scheduledAt - overloadEnd);
}
