/**
 * Batched output = isolated output, byte for byte: requests that come and go in one engine, with ragged prompts,
 * several candidates, sampling and cancels, write what each writes in an engine of its own.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import type { Candidate, EngineEvent, EngineRequest } from '../../src/engine/request.ts';
import { readManifest } from '../../src/onnx/manifest.ts';
import { type ModelTokenizer, openTokenizer } from '../../src/onnx/tokenizer.ts';
import { createRandom } from '../contract/model-runner.contract.ts';
import { makeTinyDirectory, type TinyDirectory } from '../support/tiny-runner.ts';

const REQUESTS = process.env['AMITY_TEST_LONG'] === undefined ? 36 : 400;
const POSITIONS = 260;
const LIMITS = { queueMax: REQUESTS, prefillTokensMax: 48 } as const;

interface Arrival {
  readonly request: EngineRequest;
  /** The step before which it is submitted. */
  readonly at: number;
  /** The step before which it is cancelled, or null. */
  readonly cancelledAt: number | null;
}

interface Outcome {
  readonly candidates: readonly Candidate[];
  readonly streamed: string;
}

describe.each(['nb8', 'fp32'] as const)('engine on ONNX, %s', (weights) => {
  let directory: TinyDirectory;
  let tokenizer: ModelTokenizer;
  beforeAll(async () => {
    directory = await makeTinyDirectory({ kind: 'random', weights });
    tokenizer = await openTokenizer(directory.path, await readManifest(directory.path));
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  test('what a request writes does not depend on its neighbours', async () => {
    const arrivals = createArrivals(weights === 'nb8' ? 11 : 12);
    await using crowd = await directory.openRunner({ slots: 8, positions: POSITIONS });
    const together = await play(
      new Engine({ runner: crowd, vocabulary: tokenizer.vocabulary }, LIMITS),
      arrivals,
    );

    await using alone = await directory.openRunner({ slots: 4, positions: POSITIONS });
    const engine = new Engine({ runner: alone, vocabulary: tokenizer.vocabulary }, LIMITS);
    let cancelled = 0;
    for (const { request, cancelledAt } of arrivals) {
      const isolated = (await play(engine, [{ request, at: 0, cancelledAt: null }])).get(request.id)!;
      const batched = together.get(request.id)!;
      // One that is cancelled while it waits has no candidates.
      expect(batched.streamed).toBe(batched.candidates[0]?.text ?? '');
      if (cancelledAt === null) expect(batched).toEqual(isolated);
      else {
        cancelled += 1;
        batched.candidates.forEach((candidate, i) => {
          expect(isolated.candidates[i]!.text.startsWith(candidate.text)).toBe(true);
        });
      }
    }
    expect(together.size).toBe(REQUESTS);
    expect(cancelled).toBeGreaterThan(3);
  });
});

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
        selection: { kind: 'all', candidates: 1 + random(3) } as const,
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

async function play(engine: Engine, arrivals: readonly Arrival[]): Promise<Map<string, Outcome>> {
  const streamed = new Map<string, string>();
  const outcomes = new Map<string, Outcome>();
  const take = (event: EngineEvent) => {
    if (event.kind === 'failed') throw new Error(event.message);
    if (event.kind === 'text' && event.index === 0)
      streamed.set(event.id, (streamed.get(event.id) ?? '') + event.text);
    if (event.kind === 'finished') {
      outcomes.set(event.id, { candidates: event.candidates, streamed: streamed.get(event.id) ?? '' });
    }
  };
  const last = Math.max(...arrivals.map(({ at }) => at));
  for (let step = 0; step <= last || !engine.idle; step += 1) {
    for (const { request, at, cancelledAt } of arrivals) {
      if (at === step) expect(engine.submit(request)).toBe('accepted');
      if (cancelledAt === step) engine.cancel(request.id);
    }
    for (const event of await engine.step()) take(event);
  }
  return outcomes;
}
