import { expect, it } from 'vitest';
import { Turnstile } from '../../../src/gateway/turnstile.ts';

const reading = { short: async () => {} };

/** Work that ends when it is told to. */
function openWork() {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (n: number) => () =>
    new Promise<void>((resolve) => {
      begun.push(n);
      ends[n] = resolve;
    });
  return { begun, work, end: (n: number) => ends[n]?.() };
}

it('works on four events at the same time, and on the others in the order in which they came', async () => {
  const turnstile = new Turnstile(reading);
  const { begun, work, end } = openWork();
  const passed = [0, 1, 2, 3, 4, 5].map((n) => turnstile.pass(work(n)));
  await expect.poll(() => begun).toEqual([0, 1, 2, 3]);
  end(2);
  await passed[2];
  await expect.poll(() => begun).toEqual([0, 1, 2, 3, 4]);
  end(0);
  await passed[0];
  await expect.poll(() => begun).toEqual([0, 1, 2, 3, 4, 5]);
});

it('goes on after work that throws, and hands the error on', async () => {
  const turnstile = new Turnstile(reading);
  const broken = () => Promise.reject(new Error('on purpose'));
  for (let n = 0; n < 10; n += 1) await expect(turnstile.pass(broken)).rejects.toThrow('on purpose');
  let isDone = false;
  await turnstile.pass(async () => {
    isDone = true;
  });
  expect(isDone).toBe(true);
});

it('lets nobody work while much waits to be read', async () => {
  let read: () => void = () => {};
  const unread = new Promise<void>((resolve) => {
    read = resolve;
  });
  const turnstile = new Turnstile({ short: () => unread });
  const { begun, work, end } = openWork();
  const passed = turnstile.pass(work(0));
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([]);
  read();
  await expect.poll(() => begun).toEqual([0]);
  end(0);
  await passed;
});

it('refuses what would wait behind too many, and forgets those that wait when the device is gone', async () => {
  const turnstile = new Turnstile(reading);
  const { begun, work, end } = openWork();
  const passed = Array.from({ length: 260 }, (_, n) => turnstile.pass(work(n)));
  await expect(turnstile.pass(work(260))).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1000 });
  turnstile.close();
  for (const n of [0, 1, 2, 3]) end(n);
  await Promise.all(passed);
  expect(begun).toEqual([0, 1, 2, 3]);
});
