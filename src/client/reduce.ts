/** (state, action) -> state: the whole behaviour of a conversation, without socket, clock or randomness. */
import type { Action } from './actions.ts';
import { conversationDeleted, messagesDeleted } from './deletions.ts';
import { parseFault } from './fault.ts';
import { hasId, patchMessage } from './messages.ts';
import { arrange } from './outgoing.ts';
import { addText, endReply, resumeReply, startReply } from './replies.ts';
import { discarded, patched, queued, regenerateAcked, turnAcked } from './requests.ts';
import {
  branchSelected,
  conversationUpdated,
  messageCreated,
  messageUpdated,
  olderLoaded,
  opened,
} from './selection.ts';
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
  return {
    ...state,
    ...{ connection, replies, companionTyping: false, loadingOlder: false, synced: false },
    deletedIds: initialState.deletedIds,
  };
}

function sessionReady(state: ConversationState, { payload }: Of<'session:ready'>): ConversationState {
  const isSame = state.userId === payload.userId && state.conversationId === payload.conversationId;
  // Typed before the first connect: it belongs to whoever the session turns out to be, unless it is known to be another's.
  const isOwn = state.outgoingOf === null || state.outgoingOf === payload.userId;
  const outgoing = state.userId === null && isOwn ? state.outgoing : [];
  return {
    ...(isSame ? state : { ...initialState, outgoing, messages: arrange([], outgoing) }),
    connection: { state: 'online' },
    userId: payload.userId,
    conversationId: payload.conversationId,
    textBytesMax: payload.limits['textBytesMax'] ?? state.textBytesMax,
    synced: false,
  };
}

/** What was missed comes with the answer to `conversation:open`, as after a cut. */
function missed(state: ConversationState, { payload }: Of<'conversation:gap'>): ConversationState {
  if (payload.conversationId !== state.conversationId) return state;
  return { ...state, rev: Math.min(state.rev, payload.afterRev), synced: false };
}

function typing(state: ConversationState, { payload }: Of<'typing:update'>): ConversationState {
  const concerns = payload.who === 'companion' && payload.conversationId === state.conversationId;
  return concerns ? { ...state, companionTyping: payload.typing } : state;
}

type MessageEvent = Of<'message:created' | 'message:updated' | 'reply:end' | 'reply:fail'>;

function messageTold(state: ConversationState, action: MessageEvent): ConversationState {
  const { message } = action.payload;
  if (message.conversationId !== state.conversationId) return state;
  if (action.type === 'message:created') return seenRev(messageCreated(state, message), message.rev);
  if (action.type === 'message:updated') return seenRev(messageUpdated(state, message), message.rev);
  const error = action.type === 'reply:fail' ? parseFault(action.payload.error) : null;
  return seenRev(endReply(state, action.payload.generationId, { message, error }), message.rev);
}

function patchShown(
  state: ConversationState,
  messageId: string,
  patch: Parameters<typeof patchMessage>[2],
): ConversationState {
  return { ...state, branch: patchMessage(state.branch, hasId(messageId), patch) };
}

/** What the server sends. */
function heard(state: ConversationState, action: Action): ConversationState {
  switch (action.type) {
    case 'session:ready':
      return sessionReady(state, action);
    case 'message:created':
    case 'message:updated':
    case 'reply:end':
    case 'reply:fail':
      return messageTold(state, action);
    case 'reply:start':
      return action.payload.conversationId === state.conversationId
        ? startReply(state, action.payload)
        : state;
    case 'reply:delta':
      return addText(state, action.payload.generationId, action.payload);
    case 'typing:update':
      return typing(state, action);
    case 'reaction:updated':
      return patchShown(state, action.payload.messageId, { reaction: action.payload.reaction });
    case 'conversation:updated':
      return conversationUpdated(state, action.payload.conversation);
    case 'message:deleted': {
      const { conversationId, messageIds, rev } = action.payload;
      return conversationId === state.conversationId
        ? seenRev(messagesDeleted(state, messageIds), rev)
        : state;
    }
    case 'conversation:gap':
      return missed(state, action);
    case 'conversation:deleted':
      return conversationDeleted(state, action.payload);
    default:
      // An event that this client does not know: later servers may send more.
      return state;
  }
}

/** What the server answers. */
function answered(state: ConversationState, action: Action): ConversationState {
  switch (action.type) {
    case 'opened':
      return opened(state, action.value, action.reset);
    case 'resumed':
      return resumeReply(state, action.generationId, action.value);
    case 'older:loaded':
      return olderLoaded(state, action.value);
    case 'turn:acked':
      return turnAcked(state, action);
    case 'regenerate:acked':
      return regenerateAcked(state, action);
    case 'branch:selected':
      return branchSelected(state, action.value);
    case 'alternatives:loaded': {
      const { messageId, alternatives } = action;
      return { ...state, alternatives: { ...state.alternatives, [messageId]: alternatives } };
    }
    default:
      return heard(state, action);
  }
}

/** What the user does, and what does not happen. */
function changed(state: ConversationState, action: Action): ConversationState {
  switch (action.type) {
    case 'connection':
      return connectionChanged(state, action);
    case 'typing:expired':
      return state.companionTyping ? { ...state, companionTyping: false } : state;
    case 'reaction:patched':
      return patchShown(state, action.messageId, { reaction: action.reaction });
    case 'choice:patched':
      return patchShown(state, action.messageId, action.shown);
    case 'older:asked':
      return { ...state, loadingOlder: true };
    case 'outgoing:queued':
      return queued(state, action);
    case 'outgoing:restored':
      return { ...state, outgoing: [...action.outgoing, ...state.outgoing], outgoingOf: action.userId };
    case 'outgoing:retried':
      return patched(state, action.clientId, { delivery: 'sending', error: null });
    case 'outgoing:failed':
      return patched(state, action.clientId, { delivery: 'failed', error: action.error });
    case 'outgoing:discarded':
      return discarded(state, action.clientId);
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
      return answered(state, action);
  }
}

export function reduce(state: ConversationState, action: Action): ConversationState {
  const next = changed(state, action);
  if (next.branch === state.branch && next.outgoing === state.outgoing) return next;
  return { ...next, messages: arrange(next.branch, next.outgoing) };
}
