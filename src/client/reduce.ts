/** (state, action) -> state: the whole behaviour of a conversation, without socket, clock or randomness. */
import type { Value } from '../protocol/events.ts';
import type { Action } from './actions.ts';
import { parseFault } from './fault.ts';
import { hasId, insertDraft, patchMessage, upsertStored } from './messages.ts';
import { addText, endReply, queueReply, resumeReply, startReply, takeActive } from './replies.ts';
import { type ConversationState, initialState } from './state.ts';

type Of<T extends Action['type']> = Extract<Action, { type: T }>;

/** Live events raise `rev` only once the changes before them are known too. */
function seenRev(state: ConversationState, rev: number): ConversationState {
  return state.synced && rev > state.rev ? { ...state, rev } : state;
}

function connectionChanged(state: ConversationState, { connection }: Of<'connection'>): ConversationState {
  if (connection.state === 'online') return { ...state, connection };
  const replies = Object.fromEntries(
    Object.entries(state.replies).map(([id, reply]) => [id, { ...reply, stale: true }]),
  );
  return { ...state, connection, replies, companionTyping: false, loadingOlder: false, synced: false };
}

function sessionReady(state: ConversationState, { payload }: Of<'session:ready'>): ConversationState {
  const isSame = state.userId === payload.userId && state.conversationId === payload.conversationId;
  // Typed before the first connect: it belongs to whoever the session turns out to be.
  const unsent = state.userId === null ? state.messages : [];
  return {
    ...(isSame ? state : { ...initialState, messages: unsent }),
    connection: { state: 'online' },
    userId: payload.userId,
    conversationId: payload.conversationId,
    textBytesMax: payload.limits['textBytesMax'] ?? state.textBytesMax,
    synced: false,
  };
}

function opened(state: ConversationState, { value, reset }: Of<'opened'>): ConversationState {
  if (value.conversation.conversationId !== state.conversationId) return state;
  const kept = reset ? state.messages.filter((message) => message.seq === null) : state.messages;
  const stands: ConversationState = {
    ...state,
    messages: upsertStored(kept, value.messages),
    hasOlder: reset ? value.hasMore : state.hasOlder,
    rev: Math.max(value.conversation.rev, reset ? 0 : state.rev),
    loaded: true,
    synced: true,
    fault: state.fault?.about === 'open' ? null : state.fault,
  };
  return takeActive(stands, value.activeGenerations);
}

function sendQueued(state: ConversationState, action: Of<'send:queued'>): ConversationState {
  const messages = insertDraft(state.messages, {
    key: action.clientMessageId,
    messageId: null,
    seq: null,
    rev: 0,
    role: 'user',
    text: action.text,
    createdAt: action.at,
    delivery: 'sending',
    status: 'done',
    finishReason: null,
    generationId: null,
    reaction: null,
    error: null,
  });
  return { ...state, messages };
}

function patchUnsent(
  state: ConversationState,
  clientMessageId: string,
  patch: Parameters<typeof patchMessage>[2],
): ConversationState {
  const isIt = ({ key, seq }: { key: string; seq: number | null }) => key === clientMessageId && seq === null;
  return { ...state, messages: patchMessage(state.messages, isIt, patch) };
}

function sendAcked(
  state: ConversationState,
  clientMessageId: string,
  value: Value<'message:send'>,
): ConversationState {
  const known = state.messages.find((message) => message.key === clientMessageId);
  if (known === undefined) return state;
  const { messageId, seq, generationId, duplicate } = value;
  const sent = { ...known, messageId, seq, delivery: 'sent' as const, error: null };
  const others = state.messages.filter((message) => message !== known);
  const next = known.seq === null ? { ...state, messages: insertDraft(others, sent) } : state;
  // A repeat may be long answered; `conversation:open` and live events say whether it still runs.
  return duplicate ? next : queueReply(next, generationId, messageId);
}

function typing(state: ConversationState, { payload }: Of<'typing:update'>): ConversationState {
  const concerns = payload.who === 'companion' && payload.conversationId === state.conversationId;
  return concerns ? { ...state, companionTyping: payload.typing } : state;
}

export function reduce(state: ConversationState, action: Action): ConversationState {
  switch (action.type) {
    case 'connection':
      return connectionChanged(state, action);
    case 'session:ready':
      return sessionReady(state, action);
    case 'opened':
      return opened(state, action);
    case 'message:created': {
      const { message } = action.payload;
      if (message.conversationId !== state.conversationId) return state;
      return seenRev({ ...state, messages: upsertStored(state.messages, [message]) }, message.rev);
    }
    case 'reply:start':
      return action.payload.conversationId === state.conversationId
        ? startReply(state, action.payload)
        : state;
    case 'reply:delta':
      return addText(state, action.payload.generationId, action.payload);
    case 'reply:end':
    case 'reply:fail': {
      const { generationId, message } = action.payload;
      if (message.conversationId !== state.conversationId) return state;
      const error = action.type === 'reply:fail' ? parseFault(action.payload.error) : null;
      return seenRev(endReply(state, generationId, { message, error }), message.rev);
    }
    case 'resumed':
      return resumeReply(state, action.generationId, action.value);
    case 'typing:update':
      return typing(state, action);
    case 'typing:expired':
      return state.companionTyping ? { ...state, companionTyping: false } : state;
    case 'reaction:updated':
    case 'reaction:patched': {
      const { messageId, reaction } = action.type === 'reaction:updated' ? action.payload : action;
      return { ...state, messages: patchMessage(state.messages, hasId(messageId), { reaction }) };
    }
    case 'older:asked':
      return { ...state, loadingOlder: true };
    case 'older:loaded':
      return {
        ...state,
        messages: upsertStored(state.messages, action.value.messages),
        hasOlder: action.value.hasMore,
        loadingOlder: false,
        fault: state.fault?.about === 'history' ? null : state.fault,
      };
    case 'send:queued':
      return sendQueued(state, action);
    case 'send:retried':
      return patchUnsent(state, action.clientMessageId, { delivery: 'sending', error: null });
    case 'send:acked':
      return sendAcked(state, action.clientMessageId, action.value);
    case 'send:failed':
      return patchUnsent(state, action.clientMessageId, { delivery: 'failed', error: action.error });
    case 'faulted':
      return {
        ...state,
        loadingOlder: action.about === 'history' ? false : state.loadingOlder,
        fault: { about: action.about, error: action.error },
      };
    case 'fault:cleared':
      return action.about === undefined || state.fault?.about === action.about
        ? { ...state, fault: null }
        : state;
    default:
      // An event that this client does not know: later servers may send more.
      return state;
  }
}
