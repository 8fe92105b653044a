/** Pure changes of which branch is held: pages, lists of changes, and what the server says about the selected one. */
import type { Value, WireConversation, WireMessage } from '../protocol/events.ts';
import { chainTo, graft, place, prepend, replaceKnown } from './branch.ts';
import { messagesDeleted, withoutDeleted } from './deletions.ts';
import { hasId, keyOf, type Messages, onlyVersion, toChatMessage } from './messages.ts';
import { dropOutgoing } from './outgoing.ts';
import { adoptRunning, takeActive } from './replies.ts';
import type { ChatMessage, ConversationState } from './state.ts';

/** The branch that is held is not the selected one, and no message on its way will make it so: it has to be read. */
export function isAstray({ leafId, leafGenerationId, branch, synced }: ConversationState): boolean {
  return synced && leafGenerationId === null && leafId !== null && !branch.some(hasId(leafId));
}

function toHeld(state: ConversationState, wires: readonly WireMessage[]): Messages {
  const known = new Map(state.branch.map((message) => [message.key, message]));
  const messages = wires.map((wire) => toChatMessage(wire, known.get(keyOf(wire))));
  return withoutDeleted(messages, state);
}

/** What was asked for and stands among the stored messages has been answered, though the answer may have got lost. */
function withoutStored(state: ConversationState, wires: readonly WireMessage[]): ConversationState {
  const stored = new Set(wires.map(keyOf));
  return { ...state, outgoing: dropOutgoing(state.outgoing, ({ clientId }) => stored.has(clientId)) };
}

/** Alternatives are kept while one of them is the text that is shown; otherwise they are of an earlier reply. */
function withAlternatives(state: ConversationState, { messageId, text }: WireMessage): ConversationState {
  const known = state.alternatives[messageId];
  if (known === undefined) return state;
  const { [messageId]: _dropped, ...others } = state.alternatives;
  const isAmong = known.some((one) => one.text === text);
  const alternatives = known.map((one) => ({ ...one, shown: one.text === text }));
  return { ...state, alternatives: isAmong ? { ...others, [messageId]: alternatives } : others };
}

/** The place of a reply that another device has asked for. */
function toAwaited(beside: ChatMessage, messageId: string): ChatMessage {
  return {
    ...beside,
    ...{ key: messageId, messageId, rev: 0, siblings: onlyVersion },
    ...{ text: '', status: 'queued', finishReason: null, generationId: null, reaction: null },
    ...{ error: null, refused: null },
  };
}

/** Stands for a leaf that is known to be elsewhere, without its id. No message has it. */
export const unnamedLeaf = '';

/**
 * The newest version of a reply, when this change of the one before it is the first news of it: whoever asks for one
 * selects it.
 */
function newVersionOf(branch: Messages, message: ChatMessage): string | null {
  const { parentId, role, siblings } = message;
  const { index, count, nextId } = siblings;
  if (role === 'user' || nextId === null || index !== count - 2 || branch.some(hasId(nextId))) return null;
  const parentAt = branch.findIndex(hasId(parentId ?? ''));
  const shown = branch[parentAt + 1];
  const isNews =
    shown === undefined ||
    shown.parentId === message.messageId ||
    (shown.messageId === message.messageId && shown.siblings.nextId === null);
  return parentAt >= 0 && isNews ? nextId : null;
}

export function messageUpdated(state: ConversationState, wire: WireMessage): ConversationState {
  const known = state.branch.find(hasId(wire.messageId));
  const message = toChatMessage(wire, known);
  const next = { ...withAlternatives(state, wire), branch: replaceKnown(state.branch, message) };
  const newId = newVersionOf(state.branch, message);
  const { index, count } = message.siblings;
  const hasNewer = known !== undefined && known.siblings.count < count && index < count - 1;
  if (newId === null && hasNewer && message.role === 'companion') return { ...next, leafId: unnamedLeaf };
  const branch = newId === null ? null : place(next.branch, toAwaited(message, newId), 'selected');
  return branch === null ? next : { ...next, branch, leafId: newId, leafGenerationId: null };
}

/** Whoever stores a message selects its branch. */
export function messageCreated(state: ConversationState, wire: WireMessage): ConversationState {
  const next = withoutStored(state, [wire]);
  const isKnown = next.branch.some(({ key }) => key === keyOf(wire));
  const [message] = toHeld(next, [wire]);
  if (message === undefined) return next;
  const isHeld = (id: string | null) => id === null || next.branch.some(hasId(id));
  const isLost = !isKnown && !isHeld(next.leafId) && !isHeld(message.parentId);
  const branch = isLost ? null : place(next.branch, message, 'selected');
  // Not to be placed: its branch has to be read, and `isAstray` says so.
  if (branch === null) return { ...next, leafId: wire.messageId, leafGenerationId: null };
  const hasOlder = next.hasOlder && !(branch[0]?.rev !== 0 && branch[0]?.parentId === null);
  return isKnown
    ? { ...next, branch, hasOlder }
    : { ...next, branch, hasOlder, leafId: null, leafGenerationId: null };
}

/** Where the answer says that the branch ends, unless more has been heard since. */
function leafOf(
  state: ConversationState,
  branch: Messages,
  { selectedLeafId }: WireConversation,
): Pick<ConversationState, 'leafId' | 'leafGenerationId'> {
  const isPassed =
    selectedLeafId !== null &&
    branch.at(-1)?.messageId !== selectedLeafId &&
    branch.some(hasId(selectedLeafId));
  if (!isPassed) return { leafId: selectedLeafId, leafGenerationId: null };
  return { leafId: state.leafId, leafGenerationId: state.leafGenerationId };
}

function takePage(
  state: ConversationState,
  page: { readonly messages: readonly WireMessage[]; readonly hasMore: boolean },
  conversation: WireConversation,
): ConversationState {
  // Without live events the older pages may have changed unseen.
  const held = state.synced ? state.branch : [];
  const { branch, keptOlder } = graft(held, toHeld(state, page.messages), conversation.rev);
  return {
    ...withoutStored(state, page.messages),
    branch,
    hasOlder: keptOlder ? state.hasOlder : page.hasMore,
    ...leafOf(state, branch, conversation),
  };
}

function takeChanges(
  state: ConversationState,
  { conversation, messages, activeGenerations }: Value<'conversation:open'>,
): ConversationState {
  const { selectedLeafId: leafId } = conversation;
  const told = {
    messages: toHeld(state, messages),
    parents: new Map(activeGenerations.map(({ messageId, replyTo }) => [messageId, replyTo])),
    rev: conversation.rev,
  };
  const updated = messages.reduce(withAlternatives, withoutStored(state, messages));
  const held = told.messages.reduce(replaceKnown, updated.branch);
  const branch = leafId === null ? [] : (chainTo(leafId, held, told) ?? held);
  const [top] = branch;
  const hasOlder = top?.key === state.branch[0]?.key ? state.hasOlder : (top?.parentId ?? null) !== null;
  return { ...updated, branch, hasOlder, ...leafOf(state, branch, conversation) };
}

/** @param reset the answer is a newest page, not a list of changes. */
export function opened(
  state: ConversationState,
  value: Value<'conversation:open'>,
  reset: boolean,
): ConversationState {
  const { conversation } = value;
  const { conversationId } = conversation;
  if (state.conversationId !== null && conversationId !== state.conversationId) return state;
  const held = messagesDeleted({ ...state, conversationId }, value.deletedMessageIds ?? []);
  const taken = reset ? takePage(held, value, conversation) : takeChanges(held, value);
  const stands: ConversationState = {
    ...taken,
    rev: Math.max(conversation.rev, reset ? 0 : state.rev),
    loaded: true,
    synced: true,
    fault: state.fault?.about === 'open' ? null : state.fault,
  };
  return takeActive(stands, value.activeGenerations);
}

export function branchSelected(
  state: ConversationState,
  { conversation, messages }: Value<'branch:select'>,
): ConversationState {
  if (conversation.conversationId !== state.conversationId) return state;
  const hasMore = (messages[0]?.parentId ?? null) !== null;
  return adoptRunning(takePage(state, { messages, hasMore }, conversation));
}

export function conversationUpdated(
  state: ConversationState,
  { conversationId, selectedLeafId }: WireConversation,
): ConversationState {
  if (conversationId !== state.conversationId || selectedLeafId === state.leafId) return state;
  return { ...state, leafId: selectedLeafId };
}

export function olderLoaded(state: ConversationState, value: Value<'history:page'>): ConversationState {
  const branch = prepend(state.branch, toHeld(state, value.messages));
  return {
    ...state,
    ...(branch === null ? {} : { branch, hasOlder: value.hasMore }),
    loadingOlder: false,
    fault: state.fault?.about === 'history' ? null : state.fault,
  };
}
