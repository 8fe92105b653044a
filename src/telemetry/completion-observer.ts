/** What is logged and counted of the completions that programs ask for; replies to people have their own figures. */
import { Counter } from 'prom-client';
import type { CompletionObserver } from '../http/completions/run.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { reportError } from './observers.ts';

export function createCompletionObserver(log: Logger, metrics: Metrics): CompletionObserver {
  const completions = new Counter({
    name: 'amity_completions_total',
    help: 'Answers of /v1/chat/completions that came to an end, by how.',
    labelNames: ['outcome'] as const,
    registers: [metrics.registry],
  });
  return {
    ended: ({ outcome, promptTokens, tokens, completions: n, durationMs }) => {
      completions.inc({ outcome });
      metrics.tokens.inc(tokens);
      log.info({ outcome, promptTokens, tokens, n, ms: Math.round(durationMs) }, 'completion ended');
    },
    failed: (error) => reportError(log, metrics, { error, what: 'completion' }),
  };
}
