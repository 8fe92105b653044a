/** Workers that die, models that cannot be loaded: every generation ends with a code, and nothing hangs. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GenerationEvent, GenerationRequest } from '../../src/conversation/generator.ts';
import { startGenerationPool } from '../../src/pool/generation-pool.ts';
import { makeTinyDirectory, type TinyDirectory } from '../support/tiny-runner.ts';

let directory: TinyDirectory;
let endless: TinyDirectory;
beforeAll(async () => {
  directory = await makeTinyDirectory({ kind: 'counting' });
  endless = await makeTinyDirectory({ kind: 'counting', endless: true });
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
  await endless[Symbol.asyncDispose]();
});

test('a worker that throws fails its own generations, is replaced, and another worker goes on', async () => {
  await using pool = startPool(endless.path, { workers: 2, workerFile: crashingWorker });
  await pool.ready();
  // The least busy worker gets the next generation: these go to both.
  const survivors = [0, 1].map((i) => collect(pool.generate(request(`s${i}`), never())));
  const killer = collect(pool.generate(request('k', 'KILL-THE-WORKER'), never()));
  await expect(killer).rejects.toMatchObject({ code: 'generation_failed' });
  const outcomes = await Promise.allSettled(survivors);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  expect(failed?.reason).toMatchObject({ code: 'generation_failed', message: /killed by a test/ });
  expect(pool.stats()).toMatchObject({ workers: 2, replaced: 1 });
  const after = await Promise.all([0, 1, 2].map((i) => collect(pool.generate(request(`a${i}`), never()))));
  expect(after.map((events) => events.at(-1)?.kind)).toEqual(['finished', 'finished', 'finished']);
});

test('the only worker dies, and its replacement answers the next request', async () => {
  await using pool = startPool(endless.path, { workerFile: crashingWorker });
  await pool.ready();
  const killer = collect(pool.generate(request('k', 'KILL-THE-WORKER'), never()));
  await expect(killer).rejects.toMatchObject({ code: 'generation_failed' });
  expect(pool.state()).toEqual({ kind: 'loading' });
  expect((await collect(pool.generate(request('a'), never()))).at(-1)).toMatchObject({ kind: 'finished' });
  expect(pool.state()).toEqual({ kind: 'ready' });
});

test('a damaged model is named with the command that mends it, and no generation hangs', async () => {
  await using damaged = await makeTinyDirectory({ kind: 'counting' });
  await truncate(join(damaged.path, 'model.onnx.data'), 100);
  await using pool = startPool(damaged.path);
  const early = collect(pool.generate(request('early'), never()));
  await expect(early).rejects.toMatchObject({ code: 'model_unavailable' });
  await expect(pool.ready()).rejects.toMatchObject({
    code: 'model_unavailable',
    message: expect.stringMatching(/model\.onnx\.data.*amity model pull/),
  });
  expect(pool.state()).toMatchObject({ kind: 'failed' });
  expect(pool.admits()).toMatchObject({ ok: false, code: 'model_unavailable' });
  await expect(collect(pool.generate(request('late'), never()))).rejects.toMatchObject({
    code: 'model_unavailable',
  });
});

test('a flipped byte is found by its checksum', async () => {
  await using damaged = await makeTinyDirectory({ kind: 'counting' });
  const path = join(damaged.path, 'chat_template.jinja');
  await writeFile(path, ' ', { flag: 'r+' });
  await using pool = startPool(damaged.path);
  await expect(pool.ready()).rejects.toMatchObject({
    message: expect.stringContaining('chat_template.jinja'),
  });
});

test('a worker file that cannot even be read does not leave anybody waiting', async () => {
  await using pool = startPool(directory.path, {
    workerFile: new URL('./no-such-worker.ts', import.meta.url),
  });
  const waiting = collect(pool.generate(request('w'), never()));
  await expect(waiting).rejects.toMatchObject({ code: /model_unavailable|generation_failed/ });
  await expect(pool.ready()).rejects.toMatchObject({ code: 'model_unavailable' });
});

const crashingWorker = new URL('../support/crashing-worker.ts', import.meta.url);

const race = { quality: 'live', candidates: 10, commitTokens: 14, exploration: 0 } as const;

function startPool(
  modelDirectory: string,
  { workers = 1, workerFile }: { workers?: number; workerFile?: URL } = {},
) {
  return startGenerationPool({
    modelName: 'tiny-counting',
    workers,
    queueMax: 8,
    worker: {
      modelDirectory,
      threads: 1,
      rowsMax: 8,
      positionsMax: 600,
      queueMax: 8,
      verifyChecksums: true,
      race,
    },
    ...(workerFile === undefined ? {} : { workerFile }),
  });
}

function request(generationId: string, word = 'hello'): GenerationRequest {
  return {
    generationId,
    prompt: [{ kind: 'text', text: `${word}\n` }],
    written: '',
    selection: { kind: 'all', candidates: 1 },
    tokensMax: 400,
    stop: [],
    sampling: { temperature: 0, topK: 1, topP: 1, repetitionPenalty: 1, seed: 3 },
  };
}

function never(): AbortSignal {
  return new AbortController().signal;
}

async function collect(events: AsyncIterable<GenerationEvent>): Promise<readonly GenerationEvent[]> {
  const all: GenerationEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
