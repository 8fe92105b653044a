import { threadId } from 'node:worker_threads';
import { type LoadLevel, racePlanOf } from '../conversation/load-level.ts';
import { Engine } from '../engine/engine.ts';
import { openModel } from '../onnx/open-model.ts';
import { placeRunner } from '../onnx/place-runner.ts';
import { blockBytes } from '../onnx/prompt-blocks.ts';
import { GenerationLoop, type StepFigures } from './generation-loop.ts';
import type { WorkerSettings } from './messages.ts';
import { takeSeat } from './seats.ts';
import { addStep } from './work-counters.ts';

/**
 * Prompt tokens per step: running replies wait for about three of their own steps at most (measured with a
 * batch of 20 of a 135 M model on two cores).
 */
const PREFILL_TOKENS_MAX = 128;

/** Where prompts are cut that are kept: see engine/scheduler.ts. Pieces of 128 are read 17 % sooner (bench/RESULTS.md); smaller ones are found again more often. */
const CHUNK_TOKENS = 64;

export interface LoadedWorker {
  readonly model: string;
  /** What the runtime's check found worth a line in the log. */
  readonly notes: readonly string[];
  readonly loop: GenerationLoop;
}

/**
 * Opens and warms a worker's model. It lives as long as the thread: there is nothing to close before it ends.
 *
 * @throws CodedError `model_unavailable`, or whatever the runtime says of the graph.
 */
export async function loadWorker(settings: WorkerSettings): Promise<LoadedWorker> {
  const { modelDirectory: directory, rowsMax, positionsMax, threads, queueMax } = settings;
  const { manifest, tokenizer } = await openModel(directory, { checksums: settings.verifyChecksums });
  const options = {
    directory,
    manifest,
    threads,
    deviceId: takeSeat(settings.seats, threadId),
    slots: rowsMax,
    positions: Math.min(positionsMax, manifest.shape.contextTokensMax),
    reserved: settings.reserved,
    kept: {
      blocks: Math.floor(settings.prefixCacheBytes / blockBytes(manifest.shape, CHUNK_TOKENS)),
      tokens: CHUNK_TOKENS,
    },
  };
  const { runner, notes } = await placeRunner(options, settings.provider);
  const { vocabulary, encode } = tokenizer;
  const limits = { queueMax, prefillTokensMax: PREFILL_TOKENS_MAX, chunkTokens: CHUNK_TOKENS };
  const engine = new Engine({ runner, vocabulary }, limits);
  const level = new Int32Array(settings.level);
  const planNow = () => racePlanOf(Atomics.load(level, 0) as LoadLevel, settings.race);
  const work = new BigInt64Array(settings.work);
  const onStep = (step: StepFigures) => addStep(work, step);
  return { model: manifest.name, notes, loop: new GenerationLoop({ engine, encode, planNow, onStep }) };
}
