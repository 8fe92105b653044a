/** A message comes in: stored together with the place for its reply, then put in line to be answered. */
import type { Clock } from '../std/clock.ts';
import { CodedError } from '../std/coded-error.ts';
import type { Generator } from './generator.ts';
import type { Message } from './message.ts';
import type { Replies } from './replies.ts';
import type { Reply } from './reply.ts';
import type { ConversationStore } from './stores.ts';

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

/** @throws CodedError `overloaded`, `model_unavailable`, `conflict`, `not_found` or `store_unavailable`; nothing is stored then. */
export async function sendMessage(deps: SendDeps, request: SendRequest): Promise<Sent> {
  const admission = deps.generator.admits();
  if (!admission.ok) {
    throw new CodedError(admission.code, admission.message, { retryAfterMs: admission.retryAfterMs });
  }
  const sent = await deps.replies.withinLimit(request.userId, () => storeAndBegin(deps, request));
  if (sent !== null) return sent;
  throw new CodedError('overloaded', 'Too many of your messages wait for a reply.', { retryAfterMs: 2000 });
}

async function storeAndBegin(deps: SendDeps, request: SendRequest): Promise<Sent> {
  const { userId, clientMessageId, parentId } = request;
  const text = request.text.normalize('NFC');
  const conversationId =
    request.conversationId ?? (await openDefaultConversation(deps, userId)).conversationId;
  const body = JSON.stringify({ event: 'message:send', conversationId, parentId, text });
  const appended = await deps.store.appendTurn({
    userId,
    conversationId,
    clientMessageId: clientMessageId.toLowerCase(),
    bodyHash: deps.digest(body),
    text,
    parentId,
    userMessageId: deps.ids.messageId(),
    companionMessageId: deps.ids.messageId(),
    generationId: deps.ids.generationId(),
    at: deps.clock.now(),
  });
  if (appended.kind === 'not_found')
    throw new CodedError('not_found', 'There is no such conversation or message.');
  if (appended.kind === 'conflict') throw new CodedError('conflict', appended.reason);
  if (appended.kind === 'duplicate') return appended;

  const { user, companion, generation } = appended;
  const { generationId } = generation;
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
