/** Pure changes by what the user asked for: queued, acknowledged, refused. */
import type { Action } from './actions.ts';
import { hasId, onlyVersion } from './messages.ts';
import { dropOutgoing, patchOutgoing, toOutgoing } from './outgoing.ts';
import { queueReply } from './replies.ts';
import { unnamedLeaf } from './selection.ts';
import type { ChatMessage, ConversationState, Outgoing } from './state.ts';

type Of<T extends Action['type']> = Extract<Action, { type: T }>;

function without(state: ConversationState, clientId: string): ConversationState {
  return { ...state, outgoing: dropOutgoing(state.outgoing, (one) => one.clientId === clientId) };
}

/** A new edit or further reply takes the place of one that failed at the same message. */
export function queued(state: ConversationState, { asked, at }: Of<'outgoing:queued'>): ConversationState {
  const isReplaced = (one: Outgoing) =>
    one.delivery === 'failed' && one.targetId !== null && one.targetId === asked.targetId;
  const outgoing = [...dropOutgoing(state.outgoing, isReplaced), toOutgoing(asked, at)];
  return { ...state, outgoing };
}

export function patched(
  state: ConversationState,
  clientId: string,
  patch: Pick<Outgoing, 'delivery' | 'error'>,
): ConversationState {
  return { ...state, outgoing: patchOutgoing(state.outgoing, clientId, patch) };
}

export function discarded(state: ConversationState, clientId: string): ConversationState {
  return without(state, clientId);
}

/** Known by its acknowledgement only; `message:created` brings the rest. */
function toSent(
  draft: ChatMessage,
  { value }: Of<'turn:acked'>,
  edited: ChatMessage | undefined,
): ChatMessage {
  const { messageId, seq } = value;
  const parentId = edited?.parentId ?? null;
  return { ...draft, messageId, seq, parentId, siblings: onlyVersion, delivery: 'sent', error: null };
}

export function turnAcked(state: ConversationState, action: Of<'turn:acked'>): ConversationState {
  const { clientId, value } = action;
  const { messageId, generationId, duplicate } = value;
  const request = state.outgoing.find((one) => one.clientId === clientId);
  const next = without(state, clientId);
  // A repeat may be long answered; `conversation:open` and live events say whether it still runs.
  if (duplicate) return next;
  const waiting = {
    ...queueReply(next, generationId, messageId),
    leafId: null,
    leafGenerationId: generationId,
  };
  if (state.branch.some(({ key }) => key === clientId)) return waiting;
  if (request?.draft == null) return next;
  if (request.targetId === null) {
    const { leafId, branch } = state;
    // The branch that it went to may have been named and is not held: it shows where it seems to be until that is read.
    const isLost = leafId !== null && !branch.some(hasId(leafId));
    if (isLost) {
      const guess = [...branch, toSent(request.draft, action, undefined)];
      return { ...waiting, branch: guess, leafId, leafGenerationId: null };
    }
    return { ...waiting, branch: [...state.branch, toSent(request.draft, action, undefined)] };
  }
  const at = state.branch.findIndex(hasId(request.targetId));
  // Another device has left the branch meanwhile: `isAstray` asks for the new one.
  if (at < 0) return { ...waiting, leafId: messageId, leafGenerationId: null };
  const sent = toSent(request.draft, action, state.branch[at]);
  return { ...waiting, branch: [...state.branch.slice(0, at), sent] };
}

export function regenerateAcked(
  state: ConversationState,
  { clientId, value }: Of<'regenerate:acked'>,
): ConversationState {
  const request = state.outgoing.find((one) => one.clientId === clientId);
  const next = without(state, clientId);
  if (value.duplicate || request?.targetId == null) return next;
  const at = state.branch.findIndex(hasId(request.targetId));
  const replyTo = state.branch[at]?.parentId ?? null;
  // Another device has left the branch meanwhile.
  if (at < 0 || replyTo === null) return { ...next, leafId: unnamedLeaf, leafGenerationId: null };
  return {
    ...queueReply(next, value.generationId, replyTo),
    branch: state.branch.slice(0, at),
    leafId: null,
    leafGenerationId: value.generationId,
  };
}
