/** One helper per business event: its log line and its metrics live together. No message text gets here. */
import type { AnswerObserver } from '../conversation/answer.ts';
import type { GatewayObserver } from '../gateway/gateway.ts';
import { CodedError, toWireError } from '../std/coded-error.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

export function createAnswerObserver(log: Logger, metrics: Metrics): AnswerObserver {
  return {
    started: ({ generationId }, { promptTokens, queuedMs, level, candidates }) => {
      metrics.promptTokens.observe(promptTokens);
      metrics.candidates.observe(candidates);
      const facts = {
        generationId,
        promptTokens,
        queuedMs: Math.round(queuedMs),
        loadLevel: level,
        candidates,
      };
      log.debug(facts, 'reply started');
    },
    firstText: (_turn, { ttftMs }) => metrics.firstText.observe(ttftMs / 1000),
    ended: ({ generationId }, { outcome, tokens, durationMs }) => {
      metrics.replies.inc({ outcome });
      metrics.tokens.inc(tokens);
      metrics.replyDuration.observe(durationMs / 1000);
      log.info({ generationId, outcome, tokens, ms: Math.round(durationMs) }, 'reply ended');
    },
    workerLost: ({ generationId }, { reason, charactersWritten }) =>
      log.warn(
        { generationId, reason, charactersWritten },
        'the worker of a reply died: it goes on in another',
      ),
    failed: ({ generationId }, error) => reportError(log, metrics, { error, what: 'reply', generationId }),
  };
}

export function createGatewayObserver(log: Logger, metrics: Metrics): GatewayObserver {
  return {
    connected: (userId) => {
      metrics.connects.inc();
      log.debug({ userId }, 'device connected');
    },
    disconnected: (userId, reason) => log.debug({ userId, reason }, 'device disconnected'),
    refused: (error) => reportError(log, metrics, { error, what: 'connect' }),
    eventFailed: (event, error) => reportError(log, metrics, { error, what: event }),
    messageStored: () => metrics.messages.inc(),
    messageEdited: () => metrics.signals.inc({ kind: 'edit' }),
    replyRegenerated: () => metrics.signals.inc({ kind: 'regenerate' }),
    replyChosen: () => metrics.signals.inc({ kind: 'choose' }),
    replyStopped: () => metrics.signals.inc({ kind: 'stop' }),
    reactionSet: (kind) => metrics.reactions.inc({ kind }),
  };
}

/** An expected failure is one line at its level; anything else is a bug and comes with its stack. */
export function reportError(
  log: Logger,
  metrics: Metrics,
  { error, ...context }: { error: unknown; what: string; generationId?: string },
): void {
  const { code, message } = toWireError(error);
  metrics.errors.inc({ code });
  if (!(error instanceof CodedError)) log.error({ ...context, err: error }, 'a bug: this error has no code');
  else if (code === 'store_unavailable' || code === 'generation_failed') {
    log.error({ ...context, code, reason: message, cause: causeOf(error) }, 'failed');
  } else log.debug({ ...context, code, reason: message }, 'refused');
}

const causeOf = (error: CodedError) => (error.cause instanceof Error ? error.cause.message : undefined);
