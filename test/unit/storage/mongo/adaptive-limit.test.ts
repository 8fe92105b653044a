import { expect, it } from 'vitest';
import { AdaptiveLimit } from '../../../../src/storage/mongo/adaptive-limit.ts';

/** Calls that are let in at one time. */
function roomIn(limit: AdaptiveLimit): number {
  let inside = 0;
  while (limit.enter()) inside += 1;
  for (let n = 0; n < inside; n += 1) limit.leave(10);
  return inside;
}

it('lets fewer in while calls are slow, never less than some, and more again when they are fast', () => {
  const limit = new AdaptiveLimit();
  const before = roomIn(limit);
  for (let n = 0; n < 200; n += 1) if (limit.enter()) limit.leave(2000);
  const less = roomIn(limit);
  expect(less).toBeLessThan(before - 150);
  for (let n = 0; n < 5000; n += 1) if (limit.enter()) limit.leave(2000);
  const least = roomIn(limit);
  expect(least).toBeGreaterThanOrEqual(64);
  for (let round = 0; round < 300; round += 1) roomIn(limit);
  expect(roomIn(limit)).toBeGreaterThan(least + 100);
});
