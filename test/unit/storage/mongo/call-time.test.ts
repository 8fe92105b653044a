import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { callTime, inTime, Silence } from '../../../../src/storage/mongo/call-time.ts';
import { OneAtATime } from '../../../../src/storage/mongo/one-at-a-time.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const patience = { ms: 100, inAllMs: null };

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

it('a call ends when it has not come further for so long, and not while it does', async () => {
  const steps = async () => {
    for (let n = 0; n < 5; n += 1) {
      await pause(80);
      callTime()?.beginAnew();
    }
    return 'done';
  };
  const done = inTime(patience, steps);
  const silent = inTime(patience, () => pause(200)).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(500);
  expect(await done).toBe('done');
  expect(await silent).toBeInstanceOf(Silence);
  expect(callTime()).toBeNull();
});

it('a call ends after so long in all, however far it has come', async () => {
  const steps = async () => {
    for (let n = 0; n < 10; n += 1) {
      await pause(80);
      callTime()?.beginAnew();
    }
  };
  const ended = inTime({ ms: 100, inAllMs: 250 }, steps).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1000);
  expect(await ended).toMatchObject({ message: 'There was no answer for 250 ms.' });
});

it('whoever waits in a line has no more time when those before have failed', async () => {
  const line = new OneAtATime();
  const stuck = () =>
    inTime(patience, (time) =>
      line.run(
        'one',
        async () => {
          await pause(90);
          throw new Error('It broke.');
        },
        () => time.beginAnew(),
      ),
    );
  const all = Promise.allSettled([stuck(), stuck(), stuck()]);
  await vi.advanceTimersByTimeAsync(100);
  const reasons = (await all).map((one) => (one.status === 'rejected' ? one.reason.message : ''));
  expect(reasons).toEqual(['It broke.', ...Array(2).fill('There was no answer for 100 ms.')]);
});

it('whoever waits in a line has time as long as it moves', async () => {
  const line = new OneAtATime();
  const order: number[] = [];
  const work = (n: number) =>
    inTime(patience, (time) =>
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
    inTime(patience, (time) =>
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
