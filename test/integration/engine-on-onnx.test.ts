/**
 * Batched output = isolated output, byte for byte: requests that come and go in one engine, with ragged prompts, several
 * candidates, races of ten, sampling and cancels, write what each writes in an engine of its own.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import type { EngineEvent, EngineRequest, Selection } from '../../src/engine/request.ts';
import { readManifest } from '../../src/onnx/manifest.ts';
import { type ModelTokenizer, openTokenizer } from '../../src/onnx/tokenizer.ts';
import { createRandom } from '../contract/model-runner.contract.ts';
import { createRace, finishedOf, lostRunnerUp, textOf, withoutRunnerUp } from '../support/engine-drive.ts';
import { makeTinyDirectory, type TinyDirectory } from '../support/tiny-runner.ts';

const REQUESTS = process.env['AMITY_TEST_LONG'] === undefined ? 80 : 400;
const POSITIONS = 260;
const LIMITS = { queueMax: REQUESTS, prefillTokensMax: 48, chunkTokens: 24 } as const;

interface Arrival {
  readonly request: EngineRequest;
  /** The step before which it is submitted. */
  readonly at: number;
  /** The step before which it is cancelled, or null. */
  readonly cancelledAt: number | null;
}

describe.each(['nb8', 'fp32'] as const)('engine on ONNX, %s', (weights) => {
  let directory: TinyDirectory;
  let tokenizer: ModelTokenizer;
  beforeAll(async () => {
    directory = await makeTinyDirectory({ kind: 'random', weights });
    tokenizer = await openTokenizer(directory.path, await readManifest(directory.path));
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  test('what a request writes, and how it races, does not depend on its neighbours', async () => {
    const arrivals = createArrivals(weights === 'nb8' ? 11 : 12);
    await using crowd = await directory.openRunner({ slots: 24, positions: POSITIONS });
    const together = await play(
      new Engine({ runner: crowd, vocabulary: tokenizer.vocabulary }, LIMITS),
      arrivals,
    );

    await using alone = await directory.openRunner({ slots: 10, positions: POSITIONS });
    const engine = new Engine({ runner: alone, vocabulary: tokenizer.vocabulary }, LIMITS);
    const seen = { raced: 0, cancelled: 0, whole: 0 };
    for (const { request, cancelledAt } of arrivals) {
      const isolated = (await play(engine, [{ request, at: 0, cancelledAt: null }])).get(request.id)!;
      const batched = together.get(request.id)!;
      if (wasCancelled(batched, request.id)) {
        expect(cancelledAt).not.toBeNull();
        seen.cancelled += 1;
        expectBeginning(batched, isolated, request.id);
        continue;
      }
      if (request.selection.kind === 'race') seen.raced += 1;
      const lost = lostRunnerUp(batched);
      if (lost !== null) expect(withoutRunnerUp(batched, lost)).toEqual(withoutRunnerUp(isolated, lost));
      else {
        seen.whole += 1;
        expect(batched).toEqual(isolated);
      }
    }
    expect(together.size).toBe(REQUESTS);
    expect(seen.cancelled).toBeGreaterThan(5);
    expect(seen.raced).toBeGreaterThan(20);
    expect(seen.whole).toBeGreaterThan(REQUESTS / 2);
  });
});

function wasCancelled(events: readonly EngineEvent[], id: string): boolean {
  const { candidates } = finishedOf(events, id);
  // One that is cancelled while it waits has no candidates.
  return candidates.length === 0 || candidates.some(({ finishReason }) => finishReason === 'cancelled');
}

function expectBeginning(batched: readonly EngineEvent[], isolated: readonly EngineEvent[], id: string) {
  const whole = new Map(finishedOf(isolated, id).candidates.map(({ index, text }) => [index, text]));
  for (const { index, text } of finishedOf(batched, id).candidates) {
    expect(textOf(isolated, index).startsWith(textOf(batched, index))).toBe(true);
    // A runner-up may have been further when it was cancelled than when the reply ended.
    const longer = whole.get(index)!;
    expect(longer.startsWith(text) || text.startsWith(longer)).toBe(true);
  }
}

/** Ragged in every way: lengths, candidates, sampling, times of arrival; one in five is cancelled on its way. */
function createArrivals(seed: number): readonly Arrival[] {
  const random = createRandom(seed);
  return Array.from({ length: REQUESTS }, (_, index) => {
    const at = random(REQUESTS * 2);
    return {
      at,
      cancelledAt: random(5) === 0 ? at + 3 + random(20) : null,
      request: {
        id: `r${index}`,
        prompt: Int32Array.from({ length: 1 + random(200) }, () => random(264)),
        selection: createSelection(random),
        tokensMax: 1 + random(40),
        stop: random(3) === 0 ? ['e', 'th'] : [],
        sampling: {
          temperature: random(4) === 0 ? 0 : 0.6 + random(8) / 10,
          topK: 1 + random(50),
          topP: 0.5 + random(6) / 10 > 1 ? 1 : 0.5 + random(5) / 10,
          repetitionPenalty: 1 + random(3) / 10,
          seed: random(2 ** 24),
        },
      },
    };
  });
}

/** Every second one races, ten at a time; two checkpoints at most. */
function createSelection(random: (below: number) => number): Selection {
  if (random(2) === 0) return { kind: 'all', candidates: 1 + random(3) };
  const plan = {
    candidates: 10,
    checkpoints: [
      { tokens: 4, keep: 6 },
      { tokens: 7, keep: 3 },
    ].slice(0, random(3)),
    commitTokens: [0, 8, 14, null][random(4)]!,
    exploration: { probability: random(2) / 2, temperature: 0.5 },
  };
  return createRace(plan, ({ logProb, tokens }) => logProb / Math.max(1, tokens));
}

/** All events of each request. */
async function play(engine: Engine, arrivals: readonly Arrival[]): Promise<Map<string, EngineEvent[]>> {
  const byRequest = new Map<string, EngineEvent[]>();
  const last = Math.max(...arrivals.map(({ at }) => at));
  for (let step = 0; step <= last || !engine.idle; step += 1) {
    for (const { request, at, cancelledAt } of arrivals) {
      if (at === step) {
        expect(engine.submit(request)).toBe('accepted');
        byRequest.set(request.id, []);
      }
      if (cancelledAt === step) engine.cancel(request.id);
    }
    for (const event of await engine.step()) {
      if (event.kind === 'failed') throw new Error(event.message);
      byRequest.get(event.id)!.push(event);
    }
  }
  return byRequest;
}
