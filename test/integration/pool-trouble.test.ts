/** Workers that die, models that cannot be loaded: every generation ends with a code, and nothing hangs. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodedError } from '../../src/std/coded-error.ts';
import { aRequest, collect, never, startTinyPool, textOf } from '../support/tiny-pool.ts';
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

describe.each(['thread', 'process'] as const)('workers in a %s', (host) => {
  test('a worker that throws loses its own generations, is replaced, and another worker goes on', async () => {
    await using pool = startTinyPool(endless.path, { host, workers: 2, workerFile: crashingWorker });
    await pool.ready();
    // The least busy worker gets the next generation: these go to both.
    const survivors = [0, 1].map((i) => collect(pool.generate(longRequest(`s${i}`), never())));
    const killer = await collect(pool.generate(longRequest('k', 'KILL-THE-WORKER'), never()));
    expect(killer.at(-1)).toEqual({ kind: 'lost', reason: expect.stringContaining('killed by a test') });
    const ends = (await Promise.all(survivors)).map((events) => events.at(-1)?.kind);
    expect(ends.sort()).toEqual(['finished', 'lost']);
    const after = await Promise.all(
      [0, 1, 2].map((i) => collect(pool.generate(longRequest(`a${i}`), never()))),
    );
    expect(after.map((events) => events.at(-1)?.kind)).toEqual(['finished', 'finished', 'finished']);
    expect(pool.stats()).toMatchObject({ workers: 2, replaced: 1 });
  });

  test('the only worker dies, and its replacement goes on from the text so far', async () => {
    await using pool = startTinyPool(endless.path, { host, workerFile: crashingWorker });
    await pool.ready();
    const neighbour = collect(pool.generate(longRequest('n'), never()));
    const killer = await collect(pool.generate(longRequest('k', 'KILL-THE-WORKER'), never()));
    expect(killer.at(-1)).toMatchObject({ kind: 'lost' });
    const written = textOf(await neighbour);
    const again = { ...longRequest('n'), written, tokensMax: 400 - written.length };
    const rest = await collect(pool.generate(again, never()));
    const undisturbed = await collect(pool.generate(longRequest('u'), never()));
    expect(written + textOf(rest)).toBe(textOf(undisturbed));
    expect(pool.state()).toEqual({ kind: 'ready' });
  });

  test('a damaged model is named with the command that mends it, and no generation hangs', async () => {
    await using damaged = await makeTinyDirectory({ kind: 'counting' });
    await truncate(join(damaged.path, 'model.onnx.data'), 100);
    await using pool = startTinyPool(damaged.path, { host });
    const early = collect(pool.generate(longRequest('early'), never()));
    await expect(early).rejects.toMatchObject({ code: 'model_unavailable' });
    await expect(pool.ready()).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/model\.onnx\.data.*amity model pull/),
    });
    expect(pool.state()).toMatchObject({ kind: 'failed' });
    expect(pool.admits()).toMatchObject({ ok: false, code: 'model_unavailable' });
    await expect(collect(pool.generate(longRequest('late'), never()))).rejects.toMatchObject({
      code: 'model_unavailable',
    });
  });

  test('a flipped byte is found by its checksum', async () => {
    await using damaged = await makeTinyDirectory({ kind: 'counting' });
    const path = join(damaged.path, 'chat_template.jinja');
    await writeFile(path, ' ', { flag: 'r+' });
    await using pool = startTinyPool(damaged.path, { host });
    await expect(pool.ready()).rejects.toMatchObject({
      message: expect.stringContaining('chat_template.jinja'),
    });
  });

  test('a worker file that cannot even be read does not leave anybody waiting', async () => {
    await using pool = startTinyPool(directory.path, {
      host,
      workerFile: new URL('./no-such-worker.ts', import.meta.url),
    });
    const waiting = collect(pool.generate(longRequest('w'), never()));
    const end = await waiting.then(
      (events) => events.at(-1)?.kind,
      (error: CodedError) => error.code,
    );
    expect(end).toMatch(/^(lost|model_unavailable)$/);
    await expect(pool.ready()).rejects.toMatchObject({ code: 'model_unavailable' });
  });
});

const crashingWorker = new URL('../support/crashing-worker.ts', import.meta.url);

/** As long as a reply of the endless model may be, so that it still runs when its worker dies. */
function longRequest(generationId: string, word = 'hello') {
  return aRequest(generationId, { prompt: [{ kind: 'text', text: `${word}\n` }], tokensMax: 400 });
}
