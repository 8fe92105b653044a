import { expect, test } from 'vitest';
import { freeSeats, takeSeat } from '../../../src/pool/seats.ts';

const makeSeats = (count: number) => new SharedArrayBuffer(4 * count);

test('workers sit one after another, so that each has a GPU of its own', () => {
  const seats = makeSeats(3);
  expect([11, 12, 13].map((thread) => takeSeat(seats, thread))).toEqual([0, 1, 2]);
});

test('a worker that replaces another one gets its seat', () => {
  const seats = makeSeats(3);
  for (const thread of [11, 12, 13]) takeSeat(seats, thread);
  freeSeats(seats, new Set([11, 13, 14]));
  expect(takeSeat(seats, 14)).toBe(1);
});

test('a worker without a seat takes the first GPU', () => {
  const seats = makeSeats(1);
  takeSeat(seats, 11);
  expect(takeSeat(seats, 12)).toBe(0);
});
