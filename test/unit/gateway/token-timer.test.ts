import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TokenTimer } from '../../../src/gateway/token-timer.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function watch() {
  const told: string[] = [];
  const timer = new TokenTimer(
    { now: () => Date.now() },
    { expiring: () => told.push('expiring'), expired: () => told.push('expired') },
  );
  return { timer, told };
}

it('tells a minute before the end, and at the end', () => {
  const { timer, told } = watch();
  timer.set(Date.now() + 600_000);
  vi.advanceTimersByTime(539_999);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['expiring']);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual(['expiring', 'expired']);
});

it('tells at once of a token that ends within the minute', () => {
  const { timer, told } = watch();
  timer.set(Date.now() + 10_000);
  vi.advanceTimersByTime(0);
  expect(told).toEqual(['expiring']);
});

it('forgets the old token when a new one counts, and all when it is closed', () => {
  const { timer, told } = watch();
  timer.set(Date.now() + 120_000);
  timer.set(Date.now() + 600_000);
  vi.advanceTimersByTime(300_000);
  expect(told).toEqual([]);
  timer[Symbol.dispose]();
  vi.advanceTimersByTime(900_000);
  expect(told).toEqual([]);
});

it('does not take a token of many years for one that has ended', () => {
  const { timer, told } = watch();
  timer.set(Date.now() + 2 ** 33);
  vi.advanceTimersByTime(2 ** 31 - 2);
  expect(told).toEqual([]);
});
