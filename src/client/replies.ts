/** Pure changes while replies run: live text by offset, holes, ends. */
import type { ServerPayload, Value, WireMessage } from '../protocol/events.ts';
import type { Fault } from './fault.ts';
import { hasId, insertDraft, patchMessage, upsertStored } from './messages.ts';
import type { ChatMessage, ConversationState, RunningReply } from './state.ts';

type ActiveGeneration = Value<'conversation:open'>['activeGenerations'][number];

function isEnded(message: ChatMessage): boolean {
  return message.status !== 'queued' && message.status !== 'running';
}

function putReply(state: ConversationState, reply: RunningReply): ConversationState {
  return { ...state, replies: { ...state.replies, [reply.generationId]: reply } };
}

function dropReply(state: ConversationState, generationId: string): ConversationState {
  if (state.replies[generationId] === undefined) return state;
  const { [generationId]: _dropped, ...replies } = state.replies;
  return { ...state, replies };
}

/** The companion message is stored right after the one it answers, so its `seq` is known before it arrives. */
function draftReply(state: ConversationState, messageId: string, replyTo: string): ChatMessage {
  const asked = state.messages.find(hasId(replyTo));
  const highest = state.messages.reduce((seq, message) => Math.max(seq, message.seq ?? 0), 0);
  return {
    key: messageId,
    messageId,
    seq: (asked?.seq ?? highest) + 1,
    rev: 0,
    role: 'companion',
    text: '',
    createdAt: asked?.createdAt ?? '',
    delivery: 'sent',
    status: 'running',
    finishReason: null,
    generationId: null,
    reaction: null,
    error: null,
  };
}

/** A generation waits: known from the acknowledgement of the message that it answers. */
export function queueReply(
  state: ConversationState,
  generationId: string,
  replyTo: string,
): ConversationState {
  if (state.replies[generationId] !== undefined) return state;
  return putReply(state, { generationId, replyTo, messageId: null, hole: false, stale: false });
}

export function startReply(
  state: ConversationState,
  start: Pick<ServerPayload<'reply:start'>, 'generationId' | 'messageId' | 'replyTo'>,
): ConversationState {
  const { generationId, messageId, replyTo } = start;
  const known = state.messages.find(hasId(messageId));
  if (known !== undefined && isEnded(known)) return dropReply(state, generationId);
  const messages =
    known === undefined
      ? insertDraft(state.messages, { ...draftReply(state, messageId, replyTo), generationId })
      : patchMessage(state.messages, hasId(messageId), { status: 'running', generationId });
  return putReply({ ...state, messages }, { generationId, replyTo, messageId, hole: false, stale: false });
}

/**
 * Text of a reply from `offset` on: a live delta or the answer of `generation:resume`. What is known is skipped; what
 * starts beyond the known text leaves a hole, and is dropped, because the resume brings it again.
 */
export function addText(
  state: ConversationState,
  generationId: string,
  part: { readonly offset: number; readonly text: string },
): ConversationState {
  const reply = state.replies[generationId];
  const message = reply?.messageId ? state.messages.find(hasId(reply.messageId)) : undefined;
  if (reply === undefined || message === undefined || reply.messageId === null) return state;
  const known = message.text.length;
  if (part.offset > known) return reply.hole ? state : putReply(state, { ...reply, hole: true });
  const fresh = part.text.slice(known - part.offset);
  const next = reply.hole ? putReply(state, { ...reply, hole: false }) : state;
  if (fresh === '') return next;
  const text = message.text + fresh;
  return { ...next, messages: patchMessage(next.messages, hasId(reply.messageId), { text }) };
}

export function resumeReply(
  state: ConversationState,
  generationId: string,
  value: Value<'generation:resume'>,
): ConversationState {
  const added = addText(state, generationId, value);
  return value.message === undefined
    ? added
    : endReply(added, generationId, { message: value.message, error: null });
}

export function endReply(
  state: ConversationState,
  generationId: string,
  end: { readonly message: WireMessage; readonly error: Fault | null },
): ConversationState {
  const { message, error } = end;
  const stored = upsertStored(state.messages, [message]);
  const messages = error === null ? stored : patchMessage(stored, hasId(message.messageId), { error });
  return dropReply({ ...state, messages }, generationId);
}

/** After a reconnect: what the server names runs, what it does not name has ended; what started meanwhile is kept. */
export function takeActive(state: ConversationState, active: readonly ActiveGeneration[]): ConversationState {
  const named = new Set(active.map((generation) => generation.generationId));
  const replies = Object.fromEntries(
    Object.entries(state.replies).filter(([generationId, reply]) => named.has(generationId) || !reply.stale),
  );
  let next: ConversationState = { ...state, replies };
  for (const generation of active) {
    next =
      generation.status === 'queued' && generation.text === ''
        ? queueReply(next, generation.generationId, generation.replyTo)
        : startReply(next, generation);
    next = addText(next, generation.generationId, { offset: 0, text: generation.text });
  }
  return next;
}
