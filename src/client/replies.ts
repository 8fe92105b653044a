/** Pure changes while replies run: live text by offset, holes, ends. */
import type { ServerPayload, Value, WireMessage } from '../protocol/events.ts';
import { place } from './branch.ts';
import type { Fault } from './fault.ts';
import { hasId, isUnfinished, keyOf, onlyVersion, patchMessage, toChatMessage } from './messages.ts';
import type { ChatMessage, ConversationState, RunningReply } from './state.ts';

type ActiveGeneration = Value<'conversation:open'>['activeGenerations'][number];

function putReply(state: ConversationState, reply: RunningReply): ConversationState {
  return { ...state, replies: { ...state.replies, [reply.generationId]: reply } };
}

function dropReply(state: ConversationState, generationId: string): ConversationState {
  if (state.replies[generationId] === undefined) return state;
  const { [generationId]: _dropped, ...replies } = state.replies;
  return { ...state, replies };
}

/** Puts a reply into the branch where it belongs to it; elsewhere nothing of it is shown. */
function placeReply(state: ConversationState, message: ChatMessage): ConversationState {
  const { leafId, leafGenerationId } = state;
  const isOwn = leafGenerationId !== null && leafGenerationId === message.generationId;
  const isTold = leafId !== null || leafGenerationId !== null;
  const isSelected = isOwn || leafId === message.messageId;
  const branch = place(state.branch, message, isSelected ? 'selected' : isTold ? 'unselected' : 'untold');
  if (branch === null) return state;
  return isOwn
    ? { ...state, branch, leafId: leafId ?? message.messageId, leafGenerationId: null }
    : { ...state, branch };
}

type Start = Pick<ServerPayload<'reply:start'>, 'generationId' | 'messageId' | 'replyTo'>;

/** Its `seq` is right for the first reply to a message, which is stored together with it; the end brings the true one. */
function draftReply(state: ConversationState, { generationId, messageId, replyTo }: Start): ChatMessage {
  const asked = state.branch.find(hasId(replyTo));
  return {
    key: messageId,
    messageId,
    seq: (asked?.seq ?? 0) + 1,
    rev: 0,
    parentId: replyTo,
    siblings: onlyVersion,
    role: 'companion',
    text: '',
    createdAt: asked?.createdAt ?? '',
    delivery: 'sent',
    status: 'running',
    finishReason: null,
    generationId,
    reaction: null,
    error: null,
    refused: null,
  };
}

/** A generation waits: known from the acknowledgement of what it answers. */
export function queueReply(
  state: ConversationState,
  generationId: string,
  replyTo: string,
): ConversationState {
  if (state.replies[generationId] !== undefined) return state;
  return putReply(state, { generationId, replyTo, messageId: null, hole: false, stale: false });
}

/** Of a reply on another branch nothing is shown, but it is known to run. */
export function startReply(state: ConversationState, start: Start): ConversationState {
  const { generationId, messageId, replyTo } = start;
  const known = state.branch.find(hasId(messageId));
  if (known !== undefined && !isUnfinished(known)) return dropReply(state, generationId);
  const started =
    known === undefined
      ? placeReply(state, draftReply(state, start))
      : {
          ...state,
          branch: patchMessage(state.branch, hasId(messageId), { status: 'running', generationId }),
        };
  return putReply(started, { generationId, replyTo, messageId, hole: false, stale: false });
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
  const message = reply?.messageId ? state.branch.find(hasId(reply.messageId)) : undefined;
  if (reply === undefined || message === undefined || reply.messageId === null) return state;
  const known = message.text.length;
  if (part.offset > known) return reply.hole ? state : putReply(state, { ...reply, hole: true });
  const fresh = part.text.slice(known - part.offset);
  const next = reply.hole ? putReply(state, { ...reply, hole: false }) : state;
  if (fresh === '') return next;
  const text = message.text + fresh;
  return { ...next, branch: patchMessage(next.branch, hasId(reply.messageId), { text }) };
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
  const key = keyOf(end.message);
  const known = state.branch.find((message) => message.key === key);
  const placed = placeReply(state, toChatMessage(end.message, known));
  if (end.error === null) return dropReply(placed, generationId);
  const branch = patchMessage(placed.branch, (message) => message.key === key, { error: end.error });
  return dropReply({ ...placed, branch }, generationId);
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

/** Replies that run on a branch which is shown from now on: their text so far has to be fetched. */
export function adoptRunning(state: ConversationState): ConversationState {
  return state.branch.filter(isUnfinished).reduce((next, { generationId, messageId, parentId }) => {
    if (generationId === null || messageId === null || parentId === null) return next;
    return putReply(next, { generationId, replyTo: parentId, messageId, hole: true, stale: false });
  }, state);
}
