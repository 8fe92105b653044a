/** Piscina, worker threads, engine and ONNX together, on a tiny model whose text is known beforehand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GenerationEvent } from '../../src/conversation/generator.ts';
import type { GenerationPool } from '../../src/pool/generation-pool.ts';
import { aRequest, collect, never, startTinyPool, textOf } from '../support/tiny-pool.ts';
import { makeTinyDirectory, type TinyDirectory } from '../support/tiny-runner.ts';

const patientWorker = new URL('../support/patient-worker.ts', import.meta.url);

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';

describe.each(['thread', 'process'] as const)('a pool with one worker, in a %s', (host) => {
  let directory: TinyDirectory;
  let endless: TinyDirectory;
  let pool: GenerationPool;
  beforeAll(async () => {
    directory = await makeTinyDirectory({ kind: 'counting' });
    endless = await makeTinyDirectory({ kind: 'counting', endless: true });
    pool = startTinyPool(directory.path, { host });
    await pool.ready();
  });
  afterAll(async () => {
    await pool[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    await endless[Symbol.asyncDispose]();
  });

  test('twenty people get their text at the same time, while it is written', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => collect(pool.generate(aRequest(`g${i}`), never()))),
    );
    for (const events of replies) {
      expect(events[0]).toMatchObject({ kind: 'started', candidates: 1 });
      // What comes at once from the worker is one piece.
      expect(events.filter(({ kind }) => kind === 'text').length).toBeGreaterThan(2);
      expect(textOf(events)).toBe(ALPHABET);
      expect(events.at(-1)).toMatchObject({
        kind: 'finished',
        shown: null,
        candidates: [{ text: ALPHABET, tokens: 27, finishReason: 'stop' }],
      });
    }
    expect(pool.stats()).toMatchObject({ queued: 0, running: 0, workersReady: 1, replaced: 0 });
  });

  test('more requests than rows wait for their turn', async () => {
    await using small = startTinyPool(directory.path, { host, rowsMax: 2, queueMax: 10 });
    const replies = await Promise.all(
      Array.from({ length: 9 }, (_, i) => collect(small.generate(aRequest(`g${i}`), never()))),
    );
    expect(replies.map(textOf)).toEqual(Array(9).fill(ALPHABET));
  });

  test('a full queue is refused with a time to come back, and takes again later', async () => {
    await using small = startTinyPool(endless.path, { host, rowsMax: 1, queueMax: 1 });
    const stop = new AbortController();
    const held = [0, 1].map((i) =>
      collect(small.generate(aRequest(`g${i}`, { tokensMax: 500 }), stop.signal)),
    );
    expect(small.admits()).toMatchObject({ ok: false, code: 'overloaded' });
    await expect(collect(small.generate(aRequest('g2'), never()))).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: expect.any(Number),
    });
    stop.abort();
    await Promise.all(held);
    expect(small.admits()).toEqual({ ok: true });
  });

  test('a cancel ends a reply with the text so far, and its neighbour goes on', async () => {
    await using busy = startTinyPool(endless.path, { host });
    const stop = new AbortController();
    const neighbour = collect(busy.generate(aRequest('n', { tokensMax: 200 }), never()));
    const events: GenerationEvent[] = [];
    for await (const event of busy.generate(aRequest('c', { tokensMax: 500 }), stop.signal)) {
      events.push(event);
      if (events.length === 6) stop.abort();
    }
    const end = events.at(-1);
    expect(end).toMatchObject({ kind: 'finished', candidates: [{ finishReason: 'cancelled' }] });
    expect(end?.kind === 'finished' && end.candidates[0]?.text).toBe(textOf(events));
    expect(textOf(events).length).toBeGreaterThanOrEqual(5);
    expect(textOf(await neighbour)).toHaveLength(200);
  });

  test('a signal that was aborted before ends the reply at once', async () => {
    await using busy = startTinyPool(endless.path, { host });
    const events = await collect(busy.generate(aRequest('early', { tokensMax: 500 }), AbortSignal.abort()));
    expect(events.at(-1)).toMatchObject({ kind: 'finished', candidates: [{ finishReason: 'cancelled' }] });
  });

  test('a reader that leaves early stops the generation', async () => {
    await using patient = startTinyPool(directory.path, { host, workerFile: patientWorker });
    // This worker writes until it is told to stop: were it not told, the loop would never be left.
    for await (const event of patient.generate(aRequest('left'), never())) if (event.kind === 'text') break;
    expect(patient.stats()).toMatchObject({ queued: 0, running: 0, replaced: 0 });
  });

  test('a prompt that leaves no room for the reply fails alone', async () => {
    const text = 'x'.repeat(700);
    await expect(
      collect(pool.generate(aRequest('long', { prompt: [{ kind: 'text', text }] }), never())),
    ).rejects.toMatchObject({ code: 'generation_failed' });
  });

  test('closing while replies run ends them with their text, then refuses', async () => {
    const closing = startTinyPool(endless.path, { host });
    const replies = [0, 1, 2].map((i) =>
      collect(closing.generate(aRequest(`g${i}`, { tokensMax: 500 }), never())),
    );
    await closing.ready();
    await closing[Symbol.asyncDispose]();
    for (const events of await Promise.all(replies)) {
      const end = events.at(-1);
      expect(end?.kind).toBe('finished');
      // Those that had not started have no candidates.
      const candidates = end?.kind === 'finished' ? end.candidates : [];
      expect(candidates.every(({ finishReason }) => finishReason === 'cancelled')).toBe(true);
    }
    expect(closing.admits()).toMatchObject({ ok: false, code: 'shutting_down' });
  });

  test('closing waits for a worker that is still loading', async () => {
    const closing = startTinyPool(directory.path, { host });
    await closing[Symbol.asyncDispose]();
    expect(closing.stats().workers).toBe(0);
  });
});

test('the fill of the batches is counted', async () => {
  await using directory = await makeTinyDirectory({ kind: 'counting' });
  await using pool = startTinyPool(directory.path, { rowsMax: 4 });
  await pool.ready();
  await Promise.all([0, 1, 2, 3].map((i) => collect(pool.generate(aRequest(`g${i}`), never()))));
  const { steps, rowSteps } = pool.stats().work;
  expect(steps).toBeGreaterThanOrEqual(26);
  expect(rowSteps / steps).toBeGreaterThan(1);
  expect(rowSteps / steps).toBeLessThanOrEqual(4);
});

test('a model whose graph is an export writes the same, through the same engine', async () => {
  await using directory = await makeTinyDirectory({ kind: 'counting', layout: 'export' });
  await using pool = startTinyPool(directory.path);
  await pool.ready();
  const requests = [{ kind: 'all', candidates: 1 } as const, { kind: 'all', candidates: 3 } as const];
  const replies = await Promise.all(
    requests.map((selection, i) => collect(pool.generate(aRequest(`g${i}`, { selection }), never()))),
  );
  expect(textOf(replies[0] ?? [])).toBe(ALPHABET);
  const last = replies[1]?.at(-1);
  expect(last?.kind === 'finished' && last.candidates.map(({ text }) => text)).toEqual(
    Array(3).fill(ALPHABET),
  );
});

test('what cannot be had of a GPU is a note, and the replies come', async () => {
  await using directory = await makeTinyDirectory({ kind: 'counting' });
  await using pool = startTinyPool(directory.path, { provider: 'webgpu' });
  await pool.ready();
  expect(pool.notes()).toEqual([expect.stringContaining('EXECUTION_PROVIDER=webgpu cannot be had')]);
  expect(textOf(await collect(pool.generate(aRequest('g'), never())))).toBe(ALPHABET);
});
