/** A message comes in: stored together with the place for its reply, then put in line to be answered. */
import type { Clock } from '../std/clock.ts';
import { CodedError } from '../std/coded-error.ts';
import type { Generator } from './generator.ts';
import type { Message } from './message.ts';
import type { Replies } from './replies.ts';
import type { Reply } from './reply.ts';
import type { ConversationStore, NewTurn } from './stores.ts';

export interface SendDeps {
  readonly store: ConversationStore;
  readonly replies: Replies;
  readonly generator: Generator;
  readonly clock: Clock;
  readonly ids: {
    readonly conversationId: () => string;
    readonly messageId: () => string;
    readonly generationId: () => string;
  };
  /** Hash of a text, to recognise a repeated request. */
  readonly digest: (text: string) => string;
  /** True from SIGTERM on: nothing new is begun. */
  readonly draining: () => boolean;
}

export interface SendRequest {
  readonly userId: string;
  readonly clientMessageId: string;
  /** undefined = the user's default conversation. */
  readonly conversationId: string | undefined;
  readonly text: string;
  readonly parentId: string | null | undefined;
}

export type Sent =
  | { readonly kind: 'created'; readonly user: Message; readonly generationId: string; readonly reply: Reply }
  | { readonly kind: 'duplicate'; readonly user: Message; readonly generationId: string };

/**
 * A repeat of an earlier request gets the first answer, also when nothing new is taken.
 *
 * @throws CodedError `overloaded`, `model_unavailable`, `shutting_down`, `conflict`, `not_found` or `store_unavailable`;
 * nothing is stored then.
 */
export async function sendMessage(deps: SendDeps, request: SendRequest): Promise<Sent> {
  const turn = await toNewTurn(deps, request);
  const refusal = refusalOf(deps);
  if (refusal !== null) return answerAgain(deps, turn, refusal);
  const sent = await deps.replies.withinLimit(request.userId, () => storeAndBegin(deps, turn));
  return sent ?? answerAgain(deps, turn, tooManyWaiting());
}

const tooManyWaiting = () =>
  new CodedError('overloaded', 'Too many of your messages wait for a reply.', {
    retryAfterMs: 2000,
  });

async function toNewTurn(deps: SendDeps, request: SendRequest): Promise<NewTurn> {
  const { userId, clientMessageId, parentId } = request;
  const text = request.text.normalize('NFC');
  const conversationId =
    request.conversationId ?? (await openDefaultConversation(deps, userId)).conversationId;
  return {
    userId,
    conversationId,
    clientMessageId: clientMessageId.toLowerCase(),
    bodyHash: deps.digest(JSON.stringify({ event: 'message:send', conversationId, parentId, text })),
    text,
    parentId,
    userMessageId: deps.ids.messageId(),
    companionMessageId: deps.ids.messageId(),
    generationId: deps.ids.generationId(),
    at: deps.clock.now(),
  };
}

/** Why nothing new is taken at this moment, or null. */
function refusalOf({ draining, generator }: SendDeps): CodedError | null {
  if (draining())
    return new CodedError('shutting_down', 'The server is about to stop.', { retryAfterMs: 1000 });
  const admission = generator.admits();
  if (admission.ok) return null;
  return new CodedError(admission.code, admission.message, { retryAfterMs: admission.retryAfterMs });
}

/** @throws `refusal`, unless the turn was stored before. */
async function answerAgain(deps: SendDeps, turn: NewTurn, refusal: CodedError): Promise<Sent> {
  const asked = await deps.store.askedTurn(turn.userId, turn.clientMessageId);
  if (asked === null || asked.bodyHash !== turn.bodyHash) throw refusal;
  return { kind: 'duplicate', user: asked.user, generationId: asked.generationId };
}

async function storeAndBegin(deps: SendDeps, turn: NewTurn): Promise<Sent> {
  const appended = await deps.store.appendTurn(turn);
  if (appended.kind === 'not_found')
    throw new CodedError('not_found', 'There is no such conversation or message.');
  if (appended.kind === 'conflict') throw new CodedError('conflict', appended.reason);
  if (appended.kind === 'duplicate') return appended;

  const { user, companion, generation } = appended;
  const { generationId } = generation;
  const { userId, conversationId } = turn;
  const replyTo = user.messageId;
  const reply = deps.replies.begin({
    generationId,
    conversationId,
    userId,
    replyTo,
    parentId: user.parentId,
    companion,
  });
  return { kind: 'created', user, generationId, reply };
}

/** The conversation that a user has without asking for one; made at first use. */
export function openDefaultConversation(deps: Pick<SendDeps, 'store' | 'ids' | 'clock'>, userId: string) {
  return deps.store.defaultConversation({
    userId,
    newConversationId: deps.ids.conversationId(),
    at: deps.clock.now(),
  });
}
