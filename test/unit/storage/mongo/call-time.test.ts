import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { callTime, inTime, Silence } from '../../../../src/storage/mongo/call-time.ts';
import { OneAtATime } from '../../../../src/storage/mongo/one-at-a-time.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

it('a call ends when it has not come further for so long, and not while it does', async () => {
  const steps = async () => {
    for (let n = 0; n < 5; n += 1) {
      await pause(80);
      callTime()?.beginAnew();
    }
    return 'done';
  };
  const done = inTime(100, steps);
  const silent = inTime(100, () => pause(200)).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(500);
  expect(await done).toBe('done');
  expect(await silent).toBeInstanceOf(Silence);
  expect(callTime()).toBeNull();
});

it('whoever waits in a line has time as long as it moves', async () => {
  const line = new OneAtATime();
  const order: number[] = [];
  const work = (n: number) =>
    inTime(100, (time) =>
      line.run(
        'one',
        async () => {
          await pause(60);
          order.push(n);
          return n;
        },
        () => time.beginAnew(),
      ),
    );
  const all = Promise.all(Array.from({ length: 10 }, (_, n) => work(n)));
  await vi.advanceTimersByTimeAsync(700);
  expect(await all).toEqual(order);
});

it('whoever waits in a line that does not move ends with those before', async () => {
  const line = new OneAtATime();
  const stuck = () =>
    inTime(100, (time) =>
      line.run(
        'one',
        () => pause(10_000),
        () => time.beginAnew(),
      ),
    );
  const all = Promise.allSettled([stuck(), stuck(), stuck()]);
  await vi.advanceTimersByTimeAsync(150);
  expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

it('work under other keys does not wait, and a failure does not hold up what comes after it', async () => {
  const line = new OneAtATime();
  const failed = line
    .run(
      'one',
      () => Promise.reject(new Error('no')),
      () => {},
    )
    .catch(() => 'failed');
  const after = line.run(
    'one',
    async () => 'after',
    () => {},
  );
  expect(
    await line.run(
      'other',
      async () => 'other',
      () => {},
    ),
  ).toBe('other');
  expect(await failed).toBe('failed');
  expect(await after).toBe('after');
});
