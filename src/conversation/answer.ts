/**
 * The story of one turn: remember -> prompt -> generate -> store. What the user gets to see of it goes into the
 * reply's stream; what happened is stored before the stream ends, so an ended reply is a durable one.
 */

import type { SamplingParams } from '../engine/request.ts';
import type { Clock } from '../std/clock.ts';
import { CodedError } from '../std/coded-error.ts';
import {
  nothingMade,
  type Outcome,
  toGenerationEnd,
  toOutcome,
  toStoredCandidate,
  unraced,
} from './generation-record.ts';
import type { GenerationEvent, GenerationRequest, Generator } from './generator.ts';
import type { LoadLevel } from './load-level.ts';
import type { FinishReason, Message } from './message.ts';
import { buildPrompt, type Prompt, type PromptSetup } from './prompt.ts';
import type { Reply, Turn } from './reply.ts';
import type { ReplyEnd } from './reply-stream.ts';
import { ReplyWriter } from './reply-writer.ts';
import type { GenerationEnd, GenerationStore } from './stores.ts';
import type { Windows } from './windows.ts';

export interface AnswerDeps {
  readonly store: GenerationStore;
  readonly generator: Generator;
  readonly prompt: PromptSetup;
  readonly windows: Windows;
  readonly clock: Clock;
  readonly ids: { readonly candidateId: () => string; readonly seed: () => number };
  readonly options: AnswerOptions;
  readonly observer: AnswerObserver;
  /** Waits between two attempts to store the end of a reply. */
  readonly pause: (ms: number) => Promise<void>;
}

export interface AnswerOptions {
  readonly replyTokensMax: number;
  readonly replyTokensSoftMax: number;
  readonly sampling: Omit<SamplingParams, 'seed'>;
}

/** Told of what happened, never of what was said. */
export interface AnswerObserver {
  started(
    turn: Turn,
    facts: {
      readonly promptTokens: number;
      readonly queuedMs: number;
      readonly level: LoadLevel;
      readonly candidates: number;
    },
  ): void;
  firstText(turn: Turn, facts: { readonly ttftMs: number }): void;
  ended(
    turn: Turn,
    facts: {
      readonly outcome: FinishReason | 'failed';
      /** Of all candidates. */
      readonly tokens: number;
      readonly durationMs: number;
    },
  ): void;
  /** The worker died; the reply goes on in another. */
  workerLost(turn: Turn, facts: { readonly reason: string; readonly charactersWritten: number }): void;
  failed(turn: Turn, error: unknown): void;
}

/** Losing its worker costs a reply time, and nothing else, once: what was there when two workers died may be why. */
const attemptsMax = 2;

/** Attempts to read or store what a reply cannot do without, with pauses that double from 100 ms on: about 25 s in all. */
const storeAttemptsMax = 28;
/** As often as that a store is asked that may be back for a moment. */
const storePauseMsMax = 1000;

/** Shown instead of a reply in which the model said nothing that may be shown. */
const filteredLine = 'I do not know what to say to that. Could you put it another way?';

/** Shown at load level 4, where the model is not asked. */
const cannedLine =
  'So many people are talking to me right now that I cannot think. Give me a moment, then ask me again.';

/** Answers one turn. Never throws: whatever goes wrong ends the reply. */
export async function answerTurn(deps: AnswerDeps, reply: Reply): Promise<void> {
  const began = deps.clock.monotonic();
  const writer = new ReplyWriter(deps.store, reply);
  const making: Making = { reply, writer, began, read: null };
  const outcome = await makeReply(deps, making).catch(
    (error: unknown): Outcome => ({ ...nothingMade, error }),
  );
  const end = toGenerationEnd(reply, outcome, { text: writer.text, at: deps.clock.now() });
  if (outcome.error !== undefined) deps.observer.failed(reply.turn, outcome.error);
  const stored = await storeEnd(deps, reply.turn, end);
  if (typeof stored === 'object') {
    writer.release();
    if (making.read !== null) deps.windows.keep(reply.turn, making.read, stored);
  }
  reply.stream.finish(toReplyEnd(reply, { end, stored, error: outcome.error }));
  deps.observer.ended(reply.turn, {
    outcome: end.finishReason ?? 'failed',
    tokens: outcome.candidates.reduce((sum, candidate) => sum + candidate.tokens, 0),
    durationMs: deps.clock.monotonic() - began,
  });
}

/** A reply that is being made. */
interface Making {
  readonly reply: Reply;
  readonly writer: ReplyWriter;
  /** Monotonic milliseconds. */
  readonly began: number;
  /** What the prompt was made of. */
  read: readonly Message[] | null;
}

async function makeReply(deps: AnswerDeps, making: Making): Promise<Outcome> {
  const { reply, writer } = making;
  const { turn, stream } = reply;
  if (reply.stopReason !== null) return nothingMade;
  const level = deps.generator.level();
  if (level >= 4 && stream.text === '') {
    stream.start(0, level);
    writer.hold(cannedLine);
    return { ...nothingMade, race: unraced(level), fixedEnd: 'canned' };
  }
  // An attempt counts from here on: a process that dies while it loads the model does not die of this reply.
  await Promise.race([deps.generator.ready(), reply.stopped()]);
  if (reply.stopReason !== null) return nothingMade;
  making.read = await onceThere(deps, reply, () => deps.windows.read(turn));
  if (making.read === null) return nothingMade;
  const prompt = buildPrompt(deps.prompt, making.read);
  const seed = deps.ids.seed();
  const { model } = deps.generator;
  const start = {
    generationId: turn.generationId,
    setup: { model, template: prompt.trace.template, seed, variant: null },
    trace: prompt.trace,
    at: deps.clock.now(),
  };
  const isStarted = await onceThere(deps, reply, () => deps.store.startGeneration(start));
  if (isStarted !== true || reply.stopReason !== null) return nothingMade;
  return await generateThroughLosses(deps, making, { turn, prompt, seed });
}

/** Goes on from the text so far where a worker was lost, so that its readers see nothing of it. */
async function generateThroughLosses(
  deps: AnswerDeps,
  making: Making,
  asked: { turn: Turn; prompt: Prompt; seed: number },
): Promise<Outcome> {
  const { reply, writer } = making;
  for (let attempt = 1; ; attempt++) {
    const request = toRequest(deps, { ...asked, written: writer.text });
    if (request === null) return { ...nothingMade, fixedEnd: 'length' };
    const outcome = await generate(deps, making, request);
    const reason = outcome.workerLost;
    if (reason === undefined) return outcome;
    if (reply.stopReason !== null) return nothingMade;
    if (attempt === attemptsMax) throw new CodedError('generation_failed', reason);
    deps.observer.workerLost(asked.turn, { reason, charactersWritten: writer.text.length });
  }
}

/** Null when a broken-off reply is as long already as a reply may be. */
function toRequest(
  { options, prompt: setup }: AnswerDeps,
  { turn, prompt, seed, written }: { turn: Turn; prompt: Prompt; seed: number; written: string },
): GenerationRequest | null {
  const tokensWritten = written === '' ? 0 : setup.counter.countTokens([{ kind: 'text', text: written }]);
  const tokensMax = options.replyTokensMax - tokensWritten;
  if (tokensMax < 1) return null;
  return {
    generationId: turn.generationId,
    prompt: prompt.segments,
    written,
    selection: { kind: 'race', context: prompt.context },
    reuse: { scope: turn.userId, publicSegments: prompt.publicSegments },
    tokensMax,
    tokensSoftMax: Math.max(1, options.replyTokensSoftMax - tokensWritten),
    stop: setup.template.stop,
    sampling: { ...options.sampling, seed },
  };
}

async function generate(deps: AnswerDeps, making: Making, request: GenerationRequest): Promise<Outcome> {
  const { reply, writer } = making;
  const events = deps.generator.generate(request, reply.signal)[Symbol.asyncIterator]();
  for (let next = await events.next(); !next.done; next = await events.next()) {
    const event = next.value;
    if (event.kind === 'finished') {
      const outcome = toOutcome(event, deps.ids.candidateId);
      if (outcome.fixedEnd === 'filtered' && reply.stopReason === null) writer.hold(filteredLine);
      reply.outlive(storeAlternative(deps, reply, { events, outcome }));
      return outcome;
    }
    if (event.kind === 'lost') {
      await events.return?.();
      return { ...nothingMade, workerLost: event.reason };
    }
    await showEvent(deps, making, event);
  }
  throw new Error('The generator ended without an end.');
}

async function showEvent(deps: AnswerDeps, making: Making, event: GenerationEvent): Promise<void> {
  const { reply, writer, began } = making;
  const { turn, stream } = reply;
  if (event.kind === 'started') {
    const { candidates, promptTokens } = event;
    const level = (event.level ?? 1) as LoadLevel;
    // After a lost worker it has been announced already.
    if (stream.started) return;
    const queuedMs = deps.clock.monotonic() - began;
    stream.start(candidates, level);
    deps.observer.started(turn, { promptTokens, queuedMs, level, candidates });
  } else if (event.kind === 'text') {
    const isFirst = stream.text === '';
    const isShown = await writer.write(event.text).catch((error: unknown) => {
      deps.observer.failed(turn, error);
      return false;
    });
    if (isShown && isFirst) deps.observer.firstText(turn, { ttftMs: deps.clock.monotonic() - began });
  }
}

/**
 * The runner-up comes to its end after the reply did, which does not wait for it. Whatever goes wrong here costs one
 * alternative.
 */
async function storeAlternative(
  deps: AnswerDeps,
  reply: Reply,
  { events, outcome }: { events: AsyncIterator<GenerationEvent>; outcome: Outcome },
): Promise<void> {
  const { turn } = reply;
  try {
    for (let next = await events.next(); !next.done; next = await events.next()) {
      const ended = next.value.kind === 'alternative' ? next.value.candidate : null;
      const before = outcome.candidates.find(({ index }) => index === ended?.index);
      if (ended === null || before === undefined) continue;
      await reply.stream.ended();
      await deps.store.replaceCandidate(turn.generationId, toStoredCandidate(ended, before.candidateId));
    }
  } catch (error) {
    deps.observer.failed(turn, error);
  }
}

/** The message as it is stored; `deleted` when it has no place any more; `unstored` when the store stayed away. */
type StoredEnd = Message | 'deleted' | 'unstored';

/** Tries for a while: the reply was shown, so it should be kept. */
async function storeEnd(deps: AnswerDeps, turn: Turn, end: GenerationEnd): Promise<StoredEnd> {
  for (let attempt = 1; attempt <= storeAttemptsMax; attempt++) {
    try {
      return (await deps.store.endGeneration(end)) ?? 'deleted';
    } catch (error) {
      deps.observer.failed(turn, error);
      if (attempt < storeAttemptsMax) await deps.pause(pauseAfter(attempt));
    }
  }
  return 'unstored';
}

/** Waits for a store that is away for a moment: the message is acknowledged, so its reply is due. Null when that was stopped meanwhile. */
async function onceThere<T>(deps: AnswerDeps, reply: Reply, work: () => Promise<T>): Promise<T | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isAway = error instanceof CodedError && error.code === 'store_unavailable';
      if (!isAway || attempt === storeAttemptsMax) throw error;
      deps.observer.failed(reply.turn, error);
      await Promise.race([deps.pause(pauseAfter(attempt)), reply.stopped()]);
      if (reply.stopReason !== null) return null;
    }
  }
}

const pauseAfter = (attempt: number) => Math.min(50 * 2 ** attempt, storePauseMsMax);

function toReplyEnd(
  { stream, turn }: Reply,
  { end, stored, error }: { end: GenerationEnd; stored: StoredEnd; error: unknown },
): ReplyEnd {
  const shown = { ...turn.companion, text: stream.text };
  if (stored === 'unstored') {
    // The next start finds it unfinished, and takes it up again.
    const unstored = new CodedError('store_unavailable', 'The reply could not be stored.');
    return { kind: 'fail', message: { ...shown, status: 'failed' }, error: unstored };
  }
  if (stored === 'deleted') {
    const finishReason = 'cancelled';
    return { kind: 'end', message: { ...shown, status: 'cancelled', finishReason }, finishReason };
  }
  if (end.finishReason === null) return { kind: 'fail', message: stored, error };
  return { kind: 'end', message: stored, finishReason: end.finishReason };
}
