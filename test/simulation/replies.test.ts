/**
 * One seed drives a whole life of the server without sockets: people who send, stop and read at their own pace, an engine whose passes
 * fail, workers and processes that die. The store is the real one. At the end every message is answered once, and every reader
 * has read, without a hole, what is stored.
 *
 * SEED=n runs that one seed; AMITY_TEST_LONG=1 runs many more.
 */
import { afterAll, expect, test } from 'vitest';
import { uniformAt } from '../../src/engine/uniform.ts';
import { openLife } from './conversation/life.ts';
import { openScratchStore } from './conversation/scratch-store.ts';

const SEEDS = process.env['AMITY_TEST_LONG'] === '1' ? 2_000 : 300;

const scratch = await openScratchStore();
afterAll(() => scratch[Symbol.asyncDispose]());

function createPick(seed: number): (below: number) => number {
  let drawn = 0;
  return (below) => Math.floor(uniformAt(seed, 1, drawn++) * below);
}

test('every acknowledged message is answered once, and every reader reads what is stored, whatever dies', async () => {
  const only = process.env['SEED'];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
  const counts = new Map<string, number>();
  for (const seed of seeds) {
    try {
      const life = openLife({ pick: createPick(seed), name: `s${seed}`, store: scratch.store });
      for (const outcome of await life.run()) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    } catch (error) {
      console.error(`SEED=${seed}`);
      throw error;
    }
  }
  if (only !== undefined) return;
  // A simulation that never gets into trouble proves nothing.
  for (const kind of [
    'stop',
    'cancelled',
    'superseded',
    'failed',
    'filtered',
    'canned',
    'resumed',
    'lost',
    'continued',
    'refused',
  ]) {
    expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(SEEDS / 20);
  }
}, 900_000);
