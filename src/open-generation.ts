/** Everything that writes replies: the model as the main thread knows it, and the workers that run it. */
import type { Config } from './config/load.ts';
import type { Generator } from './conversation/generator.ts';
import { defaultPersona } from './conversation/persona.ts';
import type { PromptSetup } from './conversation/prompt.ts';
import { transcriptTemplate } from './conversation/transcript-template.ts';
import type { Manifest } from './onnx/manifest.ts';
import { openModel } from './onnx/open-model.ts';
import { createAbsentGenerator } from './pool/absent-generator.ts';
import { startGenerationPool } from './pool/generation-pool.ts';
import { noWork } from './pool/work-counters.ts';
import { positionsMaxOf, promptSetupOf } from './prompt-setup.ts';
import { CodedError } from './std/coded-error.ts';
import type { Logger } from './telemetry/log.ts';
import type { LiveFigures } from './telemetry/metrics.ts';

export interface Generation extends AsyncDisposable {
  readonly generator: Generator;
  readonly prompt: PromptSetup;
  /** Why no reply can be written; empty when one can. */
  readonly problems: () => readonly string[];
  readonly figures: Pick<
    LiveFigures,
    'generationsQueued' | 'generationsRunning' | 'loadLevel' | 'queueAgeMs' | 'work' | 'workersReplaced'
  >;
  /** Resolves with true when a worker is ready, with false when none will be. */
  readonly warm: Promise<boolean>;
}

/** Never throws for a model that is missing or damaged: the server starts without it and says so. */
export async function openGeneration(config: Config, log: Logger): Promise<Generation> {
  try {
    return await openWithModel(config, log);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    log.error({ model: config.model.name }, error.message);
    return openWithoutModel(config, error.message);
  }
}

async function openWithModel(config: Config, log: Logger): Promise<Generation> {
  const { model, pool: sizes, reply } = config;
  const opened = await openModel(model.directory);
  assertRoomForPrompt(opened.manifest, reply);
  const pool = startGenerationPool({
    modelName: opened.manifest.name,
    host: sizes.host,
    workers: sizes.workers,
    queueMax: sizes.queueMax,
    worker: {
      modelDirectory: model.directory,
      threads: sizes.threads,
      provider: sizes.provider,
      rowsMax: sizes.rowsMax,
      prefixCacheBytes: sizes.prefixCacheBytes,
      positionsMax: positionsMaxOf(opened, reply),
      reserved: { prompt: reply.promptTokensMax, reply: reply.replyTokensMax },
      queueMax: sizes.queueMax,
      verifyChecksums: model.verifyChecksums,
      race: config.race,
    },
    onLevel: (level, queueAgeMs) =>
      log.info({ loadLevel: level, queueAgeMs: Math.round(queueAgeMs) }, 'load level changed'),
    onProcess: (event) => {
      if (event.kind === 'started') log.info({ generationPid: event.pid }, 'generation process started');
      else if (event.restartInMs === null) log.error(event.reason);
      else log.error({ restartInMs: event.restartInMs }, event.reason);
    },
  });
  const began = performance.now();
  const warm = pool.ready().then(
    () => {
      const ms = Math.round(performance.now() - began);
      log.info({ model: model.name, workers: sizes.workers, threads: sizes.threads, ms }, 'model is ready');
      for (const note of pool.notes()) log.warn(note);
      return true;
    },
    (error: unknown) => {
      log.error({ model: model.name }, (error as Error).message);
      return false;
    },
  );
  return {
    generator: pool,
    prompt: promptSetupOf(opened, reply),
    problems: () => {
      const state = pool.state();
      if (state.kind === 'ready') return [];
      return [`model: ${state.kind === 'loading' ? 'is being loaded' : state.reason}`];
    },
    figures: {
      generationsQueued: () => pool.stats().queued,
      generationsRunning: () => pool.stats().running,
      loadLevel: () => pool.level(),
      queueAgeMs: () => pool.stats().queueAgeMs,
      work: () => pool.stats().work,
      workersReplaced: () => pool.stats().replaced,
    },
    warm,
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

/** Tokens that a prompt needs at least: the persona and a short message. */
const promptTokensMin = 64;

function assertRoomForPrompt(manifest: Manifest, reply: Config['reply']): void {
  const { contextTokensMax } = manifest.shape;
  if (reply.replyTokensMax + promptTokensMin <= contextTokensMax) return;
  const sentence =
    `The model ${manifest.name} holds ${contextTokensMax} tokens, so AMITY_REPLY_TOKENS_MAX=${reply.replyTokensMax} leaves ` +
    `no room for a prompt: set it to ${contextTokensMax - promptTokensMin} or less.`;
  throw new CodedError('model_unavailable', sentence);
}

function openWithoutModel({ model, reply }: Config, reason: string): Generation {
  return {
    generator: createAbsentGenerator(model.name, reason),
    prompt: {
      persona: defaultPersona,
      template: transcriptTemplate,
      counter: { countTokens: () => 0 },
      model: model.name,
      budgetTokens: reply.promptTokensMax,
    },
    problems: () => [`model: ${reason}`],
    figures: {
      generationsQueued: () => 0,
      generationsRunning: () => 0,
      loadLevel: () => 1,
      queueAgeMs: () => 0,
      work: () => noWork,
      workersReplaced: () => 0,
    },
    warm: Promise.resolve(false),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
