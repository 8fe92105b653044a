/** One client event: parse its payload once, run its handler, acknowledge exactly once. */
import type { z } from 'zod';
import type { Source } from '../limits/rate-limits.ts';
import { type Ack, type ClientEvent, clientEvents } from '../protocol/events.ts';
import { CodedError, toWireError } from '../std/coded-error.ts';
import type { Call, Handler } from './handler.ts';
import { authRefresh } from './handlers/auth-refresh.ts';
import { branchSelect } from './handlers/branch-select.ts';
import { conversationCreate } from './handlers/conversation-create.ts';
import { conversationDelete } from './handlers/conversation-delete.ts';
import { conversationList } from './handlers/conversation-list.ts';
import { conversationOpen } from './handlers/conversation-open.ts';
import { conversationRead } from './handlers/conversation-read.ts';
import { conversationRename } from './handlers/conversation-rename.ts';
import { generationCancel } from './handlers/generation-cancel.ts';
import { generationResume } from './handlers/generation-resume.ts';
import { historyPage } from './handlers/history-page.ts';
import { historySearch } from './handlers/history-search.ts';
import { messageDelete } from './handlers/message-delete.ts';
import { messageEdit } from './handlers/message-edit.ts';
import { messageSend } from './handlers/message-send.ts';
import { promptTrace } from './handlers/prompt-trace.ts';
import { reactionClear } from './handlers/reaction-clear.ts';
import { reactionSet } from './handlers/reaction-set.ts';
import { replyAlternatives } from './handlers/reply-alternatives.ts';
import { replyChoose } from './handlers/reply-choose.ts';
import { replyRegenerate } from './handlers/reply-regenerate.ts';
import { sessionFeedback } from './handlers/session-feedback.ts';
import { settingsGet, settingsSet } from './handlers/settings.ts';
import { typingSet } from './handlers/typing-set.ts';

const handlers: { readonly [E in ClientEvent]: Handler<E> } = {
  'conversation:list': conversationList,
  'conversation:create': conversationCreate,
  'conversation:rename': conversationRename,
  'conversation:delete': conversationDelete,
  'conversation:read': conversationRead,
  'conversation:open': conversationOpen,
  'history:page': historyPage,
  'history:search': historySearch,
  'message:send': messageSend,
  'message:edit': messageEdit,
  'message:delete': messageDelete,
  'reply:regenerate': replyRegenerate,
  'reply:alternatives': replyAlternatives,
  'reply:choose': replyChoose,
  'branch:select': branchSelect,
  'generation:cancel': generationCancel,
  'generation:resume': generationResume,
  'reaction:set': reactionSet,
  'reaction:clear': reactionClear,
  'session:feedback': sessionFeedback,
  'typing:set': typingSet,
  'settings:get': settingsGet,
  'settings:set': settingsSet,
  'auth:refresh': authRefresh,
  'prompt:trace': promptTrace,
};

/** Told of each event that was refused or that failed; `error` is a CodedError, or a bug. */
export type ErrorObserver = (event: string, error: unknown) => void;

/** An event as Socket.IO delivers it. */
export interface IncomingEvent {
  readonly name: string;
  /** The payload, and the acknowledgement callback when the client wants one. */
  readonly args: readonly unknown[];
  readonly source: Source;
}

export async function dispatch(
  call: Call,
  { name, args, source }: IncomingEvent,
  onError: ErrorObserver,
): Promise<void> {
  const callback = callbackOf(args);
  const answer = once(callback);
  try {
    await call.rateLimits.event(source, name);
    const payload = parsePayload(name, callback === undefined ? args : args.slice(0, -1));
    // The payload was parsed by the schema of this very event, which the table cannot tell the compiler.
    const handler = handlers[name as ClientEvent] as AnyHandler;
    await call.session.inTurn(() => handler(call, payload, (value) => answer({ ok: true, value })));
  } catch (error) {
    onError(name, error);
    answer({ ok: false, error: toWireError(error) });
  }
}

type AnyHandler = (call: Call, payload: unknown, ack: (value: unknown) => void) => Promise<void>;
type AnyAck = (answer: Ack<unknown>) => void;

function callbackOf(args: readonly unknown[]): AnyAck | undefined {
  const last = args.at(-1);
  return typeof last === 'function' ? (last as AnyAck) : undefined;
}

/** An error after the acknowledgement cannot take it back. */
function once(callback: AnyAck | undefined): AnyAck {
  let answered = false;
  return (answer) => {
    if (answered) return;
    answered = true;
    callback?.(answer);
  };
}

/** @throws CodedError `invalid_payload`, with the first thing that is wrong. */
function parsePayload(event: string, payloads: readonly unknown[]): unknown {
  if (!Object.hasOwn(clientEvents, event)) throw new CodedError('invalid_payload', 'There is no such event.');
  if (payloads.length !== 1)
    throw new CodedError('invalid_payload', `One payload object is taken, not ${payloads.length}.`);
  const [payload] = payloads;
  const forbidden = forbiddenKey(payload);
  if (forbidden !== undefined)
    throw new CodedError('invalid_payload', `The field "${forbidden}" is not taken.`);
  const schema: z.ZodType = clientEvents[event as ClientEvent].payload;
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CodedError(
    'invalid_payload',
    `${issue?.path.join('.') || 'The payload'}: ${issue?.message ?? 'malformed'}`,
  );
}

/** Keys that would reach into prototypes; some parsers drop them silently, here they are refused. */
function forbiddenKey(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  return Object.keys(payload).find(
    (key) => key === '__proto__' || key === 'constructor' || key === 'prototype',
  );
}
