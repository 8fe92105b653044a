import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is read when somebody asks, instead of being counted. */
export interface LiveFigures {
  readonly connections: () => number;
  readonly replies: () => number;
  readonly generationsQueued: () => number;
  readonly generationsRunning: () => number;
  /** 0-5, see conversation/load-level.ts. */
  readonly loadLevel: () => number;
  readonly queueAgeMs: () => number;
  /** Of all engines, since the start. */
  readonly work: () => {
    readonly steps: number;
    readonly rowSteps: number;
    readonly promptTokensRun: number;
    readonly promptTokensReused: number;
  };
  readonly workersReplaced: () => number;
}

export type Metrics = ReturnType<typeof createMetrics>;

const shortSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Prometheus metrics. Labels come from closed sets only: never a user, a conversation or a text. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    messages: new Counter({ name: 'amity_messages_total', help: 'User messages stored.', registers }),
    replies: new Counter({
      name: 'amity_replies_total',
      help: 'Replies ended, by how.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    tokens: new Counter({
      name: 'amity_tokens_generated_total',
      help: 'Tokens generated, all candidates.',
      registers,
    }),
    reactions: new Counter({
      name: 'amity_reactions_total',
      help: 'Reactions set, by kind.',
      labelNames: ['kind'] as const,
      registers,
    }),
    signals: new Counter({
      name: 'amity_signals_total',
      help: 'What people do about a reply instead of reacting to it, by kind: edit, regenerate, choose, stop.',
      labelNames: ['kind'] as const,
      registers,
    }),
    errors: new Counter({
      name: 'amity_errors_total',
      help: 'Errors answered to clients, by code.',
      labelNames: ['code'] as const,
      registers,
    }),
    connects: new Counter({ name: 'amity_connects_total', help: 'Devices that connected.', registers }),
    firstText: new Histogram({
      name: 'amity_reply_first_text_seconds',
      help: 'From the beginning of a turn to its first text.',
      buckets: shortSeconds,
      registers,
    }),
    replyDuration: new Histogram({
      name: 'amity_reply_duration_seconds',
      help: 'From the beginning of a turn to its end.',
      buckets: shortSeconds,
      registers,
    }),
    candidates: new Histogram({
      name: 'amity_reply_candidates',
      help: 'Candidates that a reply was chosen from; 0 where it is a fixed line.',
      buckets: [0, 1, 2, 4, 10, 32],
      registers,
    }),
    promptTokens: new Histogram({
      name: 'amity_prompt_tokens',
      help: 'Tokens of a prompt.',
      buckets: [32, 64, 128, 256, 512, 1024, 2048, 4096],
      registers,
    }),
  };
}

/** Registers the gauges; call once, when everything they read is there. */
export function watchLiveFigures(metrics: Metrics, live: LiveFigures): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [metrics.registry],
      collect() {
        this.set(read());
      },
    });
  gauge('amity_connections', 'Devices connected now.', live.connections);
  gauge('amity_replies_active', 'Replies queued or running.', live.replies);
  gauge('amity_generations_queued', 'Generations that wait for a place in a batch.', live.generationsQueued);
  gauge('amity_generations_running', 'Generations in a batch.', live.generationsRunning);
  gauge('amity_load_level', 'Load level: 1 all candidates, 3 one, 4 canned, 5 refusing.', live.loadLevel);
  gauge('amity_engine_steps', 'Steps of the engine since the start.', () => live.work().steps);
  gauge(
    'amity_engine_row_steps',
    'Rows of the batch that were taken, summed over all steps: over the steps, the fill of the batch.',
    () => live.work().rowSteps,
  );
  gauge(
    'amity_prompt_tokens_run',
    'Prompt tokens that the model read, since the start.',
    () => live.work().promptTokensRun,
  );
  gauge(
    'amity_prompt_tokens_reused',
    'Prompt tokens that it was spared, since they were kept from an earlier prompt.',
    () => live.work().promptTokensReused,
  );
  gauge('amity_workers_replaced', 'Generation workers that died and were replaced.', live.workersReplaced);
  gauge('amity_queue_age_seconds', 'How long generations wait for a place.', () => live.queueAgeMs() / 1000);
}
