import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRateLimits, unlimited } from '../../../src/limits/rate-limits.ts';
import {
  connectsPerAddress,
  costOf,
  eventRates,
  guestsPerAddress,
  socketsMax,
} from '../../../src/limits/rates.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const source = (socketId: string, userId = 'ada', address = '1.1.1.1') => ({ socketId, userId, address });

/** How many of many are taken before one is refused. */
async function taken(ask: (n: number) => Promise<void>): Promise<number> {
  for (let n = 0; n < 100_000; n += 1) {
    const error = await ask(n).catch((refusal: unknown) => refusal);
    if (error === undefined) continue;
    expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) });
    return n;
  }
  return Number.POSITIVE_INFINITY;
}

it('take what the protocol promises of a socket, in one burst', async () => {
  const limits = createRateLimits();
  for (let n = 0; n < 60; n += 1) await limits.event(source('s'), 'message:send');
});

it('refuse one socket without the others of its user, and all of a user without other users', async () => {
  const limits = createRateLimits();
  const pings = await taken(() => limits.event(source('a'), 'settings:get'));
  expect(pings).toBe(eventRates.socket.points);
  expect(await taken(() => limits.event(source('b'), 'settings:get'))).toBe(pings);
  expect(await taken(() => limits.event(source('c'), 'settings:get'))).toBe(pings);
  expect(await taken(() => limits.event(source('d'), 'settings:get'))).toBe(0);
  expect(await taken(() => limits.event(source('e', 'bob'), 'settings:get'))).toBe(pings);
});

it('refuse an address, however many users it has', async () => {
  const limits = createRateLimits();
  const most = eventRates.address.points;
  expect(await taken((n) => limits.event(source(`s${n}`, `u${n}`), 'settings:get'))).toBe(most);
  await limits.event(source('s', 'u', '2.2.2.2'), 'settings:get');
});

it('count what costs more for more', async () => {
  const limits = createRateLimits();
  const searches = await taken(() => limits.event(source('a'), 'history:search'));
  expect(searches).toBe(eventRates.socket.points / costOf('history:search'));
});

it('take more after the time that the refusal names', async () => {
  const limits = createRateLimits();
  await taken(() => limits.event(source('a'), 'settings:get'));
  const refusal = (await limits.event(source('a'), 'settings:get').catch((error: unknown) => error)) as {
    retryAfterMs: number;
  };
  vi.advanceTimersByTime(refusal.retryAfterMs + 1);
  await limits.event(source('a'), 'settings:get');
});

it('bound connects and guests of an address', async () => {
  const limits = createRateLimits();
  expect(await taken(() => limits.connect('1.1.1.1'))).toBe(connectsPerAddress.points);
  expect(await taken(() => limits.guest('1.1.1.1'))).toBe(guestsPerAddress.points);
  expect(connectsPerAddress.points).toBeGreaterThanOrEqual(120);
  expect(guestsPerAddress.points).toBeGreaterThanOrEqual(60);
});

it('bound the connections that stand, of a user and of an address, until they are gone', async () => {
  const limits = createRateLimits();
  const open = Array.from({ length: socketsMax.perUser }, () => limits.socket(source('x')));
  expect(() => limits.socket(source('x'))).toThrow('too many connections');
  open[0]?.[Symbol.dispose]();
  open[0]?.[Symbol.dispose]();
  limits.socket(source('x'));
  expect(() => limits.socket(source('x'))).toThrow('too many connections');
  const others = socketsMax.perAddress - socketsMax.perUser;
  for (let n = 0; n < others; n += 1) limits.socket(source('x', `u${n}`));
  expect(() => limits.socket(source('x', 'new'))).toThrow('from your address');
  // The refused one holds nothing of its user.
  for (let n = 0; n < socketsMax.perUser; n += 1) limits.socket(source('x', 'new', '2.2.2.2'));
});

it('can be off', async () => {
  for (let n = 0; n < 10_000; n += 1) await unlimited.event(source('a'), 'message:send');
  for (let n = 0; n < 100; n += 1) unlimited.socket(source('a'));
});
