/**
 * The story of one turn: remember -> prompt -> generate -> store. What the user gets to see of it goes into the
 * reply's stream; what happened is stored before the stream ends, so an ended reply is a durable one.
 */

import type { SamplingParams } from '../engine/request.ts';
import type { Clock } from '../std/clock.ts';
import { CodedError } from '../std/coded-error.ts';
import type { GenerationEvent, Generator } from './generator.ts';
import type { FinishReason, Message, StoredCandidate } from './message.ts';
import { buildPrompt, type Prompt, type PromptSetup, promptMessagesMax } from './prompt.ts';
import type { Reply, Turn } from './reply.ts';
import type { ReplyEnd } from './reply-stream.ts';
import type { ConversationStore, GenerationEnd, GenerationStore } from './stores.ts';

export interface AnswerDeps {
  readonly store: ConversationStore & GenerationStore;
  readonly generator: Generator;
  readonly prompt: PromptSetup;
  readonly clock: Clock;
  readonly ids: { readonly candidateId: () => string; readonly seed: () => number };
  readonly options: AnswerOptions;
  readonly observer: AnswerObserver;
  /** Waits between two attempts to store the end of a reply. */
  readonly pause: (ms: number) => Promise<void>;
}

export interface AnswerOptions {
  readonly candidates: number;
  readonly replyTokensMax: number;
  readonly replyTokensSoftMax: number;
  readonly sampling: Omit<SamplingParams, 'seed'>;
}

/** Told of what happened, never of what was said. */
export interface AnswerObserver {
  started(turn: Turn, facts: { readonly promptTokens: number; readonly queuedMs: number }): void;
  firstText(turn: Turn, facts: { readonly ttftMs: number }): void;
  ended(
    turn: Turn,
    facts: {
      readonly outcome: FinishReason | 'failed';
      readonly tokens: number;
      readonly durationMs: number;
    },
  ): void;
  failed(turn: Turn, error: unknown): void;
}

/** Attempts to store the end of a reply, with doubling pauses from 100 ms on: about 25 s in all. */
const storeAttemptsMax = 9;

/** Shown instead of a reply in which the model said nothing at all. */
const emptyReplyLine = 'I do not know what to say to that. Could you put it another way?';

/** Load level 1, the default: candidates race and the winner streams live. Levels that follow the load come later. */
const level = 1;

/** Answers one turn. Never throws: whatever goes wrong ends the reply. */
export async function answerTurn(deps: AnswerDeps, reply: Reply): Promise<void> {
  const began = deps.clock.monotonic();
  const outcome = await generateReply(deps, reply, began).catch(
    (error: unknown): Outcome => ({ error, candidates: [] }),
  );
  const end = toGenerationEnd(deps, reply, outcome);
  if (outcome.error !== undefined) deps.observer.failed(reply.turn, outcome.error);
  const message = await storeEnd(deps, reply.turn, end);
  reply.stream.finish(toReplyEnd(reply, { end, message, error: outcome.error }));
  deps.observer.ended(reply.turn, {
    outcome: end.finishReason ?? 'failed',
    tokens: outcome.candidates.reduce((sum, candidate) => sum + candidate.tokens, 0),
    durationMs: deps.clock.monotonic() - began,
  });
}

interface Outcome {
  readonly candidates: readonly StoredCandidate[];
  readonly shown?: StoredCandidate | undefined;
  readonly saidNothing?: boolean;
  readonly error?: unknown;
}

async function generateReply(deps: AnswerDeps, reply: Reply, began: number): Promise<Outcome> {
  const { turn, stream } = reply;
  if (reply.stopReason !== null) return { candidates: [] };
  const prompt = await promptOf(deps, turn);
  const seed = deps.ids.seed();
  const setup = {
    model: deps.generator.model,
    template: prompt.trace.template,
    level,
    candidates: deps.options.candidates,
    seed,
    variant: null,
  };
  await deps.store.startGeneration({
    generationId: turn.generationId,
    setup,
    trace: prompt.trace,
    at: deps.clock.now(),
  });
  if (reply.stopReason !== null) return { candidates: [] };

  const request = {
    generationId: turn.generationId,
    prompt: prompt.segments,
    candidates: deps.options.candidates,
    tokensMax: deps.options.replyTokensMax,
    tokensSoftMax: deps.options.replyTokensSoftMax,
    stop: deps.prompt.template.stop,
    sampling: { ...deps.options.sampling, seed },
  };
  let finished: (GenerationEvent & { kind: 'finished' }) | undefined;
  for await (const event of deps.generator.generate(request, reply.signal)) {
    const elapsedMs = deps.clock.monotonic() - began;
    if (event.kind === 'started') {
      stream.start(event.candidates, level);
      deps.observer.started(turn, { promptTokens: event.promptTokens, queuedMs: elapsedMs });
    } else if (event.kind === 'text') {
      // Text that crosses a supersede on its way is not shown: the next reply answers both messages.
      if (reply.stopReason === 'superseded') continue;
      if (stream.text === '') deps.observer.firstText(turn, { ttftMs: elapsedMs });
      stream.append(event.text);
    } else finished = event;
  }
  const shown = finished?.candidates.find((one) => one.index === finished?.shown);
  const saidNothing = shown !== undefined && shown.text === '' && reply.stopReason === null;
  if (saidNothing) stream.append(emptyReplyLine);
  const candidates =
    finished?.candidates.map((one) => ({
      ...one,
      candidateId: deps.ids.candidateId(),
      score: null,
      filterReason: one.text === '' ? 'empty' : null,
    })) ?? [];
  return { candidates, saidNothing, shown: candidates.find((one) => one.index === shown?.index) };
}

/** The prompt of a stored turn, from what has been said by now. */
export async function promptOf(
  deps: { readonly store: ConversationStore; readonly prompt: PromptSetup },
  turn: Pick<Turn, 'conversationId' | 'replyTo'>,
): Promise<Prompt> {
  const { messages } = await deps.store.branchPage({
    conversationId: turn.conversationId,
    leafId: turn.replyTo,
    limit: promptMessagesMax,
  });
  return buildPrompt(deps.prompt, messages);
}

function toGenerationEnd(deps: AnswerDeps, reply: Reply, outcome: Outcome): GenerationEnd {
  const shared = {
    generationId: reply.turn.generationId,
    text: reply.stream.text,
    candidates: outcome.candidates,
    shownCandidateId: outcome.shown?.candidateId ?? null,
    propensity: outcome.shown === undefined ? null : 1,
    at: deps.clock.now(),
  };
  if (outcome.error !== undefined) return { ...shared, status: 'failed', finishReason: null };
  if (outcome.saidNothing) return { ...shared, status: 'done', finishReason: 'filtered' };
  const own = outcome.shown?.finishReason;
  // A reply that reached its own end is done, also when somebody stopped it at that very moment.
  if (own === 'stop' || own === 'length') {
    if (reply.stopReason !== 'superseded') return { ...shared, status: 'done', finishReason: own };
  }
  return { ...shared, status: 'cancelled', finishReason: reply.stopReason ?? 'cancelled' };
}

/** Tries for a while: the reply was shown, so it should be kept. Null when the store stayed away. */
async function storeEnd(deps: AnswerDeps, turn: Turn, end: GenerationEnd): Promise<Message | null> {
  for (let attempt = 1; attempt <= storeAttemptsMax; attempt++) {
    try {
      return await deps.store.endGeneration(end);
    } catch (error) {
      deps.observer.failed(turn, error);
      if (attempt < storeAttemptsMax) await deps.pause(50 * 2 ** attempt);
    }
  }
  return null;
}

function toReplyEnd(
  reply: Reply,
  made: { end: GenerationEnd; message: Message | null; error: unknown },
): ReplyEnd {
  const { end, message } = made;
  if (message === null) {
    const error = new CodedError('store_unavailable', 'The reply could not be stored.');
    // After the next start it is failed in the store too.
    return { kind: 'fail', message: { ...reply.turn.companion, text: end.text, status: 'failed' }, error };
  }
  if (end.finishReason === null) return { kind: 'fail', message, error: made.error };
  return { kind: 'end', message, finishReason: end.finishReason };
}
