import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { UserTyping } from '../../../src/gateway/user-typing.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function watch() {
  const told: [string, boolean][] = [];
  const typing = new UserTyping((update) => told.push([update.conversationId, update.typing]));
  return { typing, told };
}

it('ends by itself after five seconds, unless it is said again', () => {
  const { typing, told } = watch();
  typing.set('c', true);
  vi.advanceTimersByTime(4999);
  typing.set('c', true);
  vi.advanceTimersByTime(4999);
  expect(told).toEqual([
    ['c', true],
    ['c', true],
  ]);
  vi.advanceTimersByTime(1);
  expect(told.at(-1)).toEqual(['c', false]);
});

it('tells of an end once, and only where something had begun', () => {
  const { typing, told } = watch();
  typing.set('c', false);
  typing.set('c', true);
  typing.set('c', false);
  typing.set('c', false);
  vi.advanceTimersByTime(10_000);
  expect(told).toEqual([
    ['c', true],
    ['c', false],
  ]);
});

it('ends everywhere when the device goes', () => {
  const { typing, told } = watch();
  typing.set('a', true);
  typing.set('b', true);
  typing[Symbol.dispose]();
  expect(told.slice(2)).toEqual([
    ['a', false],
    ['b', false],
  ]);
  expect(vi.getTimerCount()).toBe(0);
});
