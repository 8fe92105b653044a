/**
 * Pure: which stored messages stand on the selected branch, and where. A conversation is a tree (every message has a
 * parent); a client holds one path of it, from the oldest message it has read to the end. The reply between two messages
 * of the user may be missing for a while: it has an id only once it starts.
 */
import { hasId, type Messages } from './messages.ts';
import type { ChatMessage } from './state.ts';

/**
 * What is known about a message that is new here: the selected branch leads through it, it ends elsewhere, or neither has
 * been told yet.
 */
export type Selection = 'selected' | 'unselected' | 'untold';

/** A known message stays where it is, unless it was put there before its parent was known and hangs elsewhere. */
function isInPlace(branch: Messages, at: number, message: ChatMessage): boolean {
  const before = branch[at - 1];
  const isSettled = branch[at] !== undefined && branch[at].rev > 0;
  return isSettled || before === undefined || before.messageId === message.parentId || before.role === 'user';
}

/** The reply before `next`, which came late. */
function fitsBefore(next: ChatMessage, message: ChatMessage): boolean {
  if (message.role !== 'companion' || next.role !== 'user') return false;
  return next.parentId === message.messageId || next.rev === 0;
}

/** It hangs on the reply to the last message of the user, which nobody has told of yet. */
function followsUnseenReply(branch: Messages, message: ChatMessage): boolean {
  const last = branch.at(-1);
  return message.role === 'user' && last?.role === 'user' && (message.seq ?? 0) > (last.seq ?? 0);
}

function placeNew(branch: Messages, message: ChatMessage, selection: Selection): Messages | null {
  const { parentId } = message;
  const parentAt = parentId === null ? -1 : branch.findIndex(hasId(parentId));
  if (parentId !== null && parentAt < 0) {
    const besideAt = branch.findIndex((one) => one.parentId === parentId && one.role === message.role);
    if (besideAt >= 0) return selection === 'selected' ? [...branch.slice(0, besideAt), message] : null;
    return followsUnseenReply(branch, message) ? [...branch, message] : null;
  }
  const next = branch[parentAt + 1];
  if (next === undefined) return selection === 'unselected' ? null : [...branch, message];
  if (fitsBefore(next, message)) return branch.toSpliced(parentAt + 1, 0, message);
  return selection === 'selected' ? [...branch.slice(0, parentAt + 1), message] : null;
}

/**
 * Takes a stored message in; one that is known in the same or a later `rev` stays as it is. What hangs beside a selected
 * one makes way.
 *
 * @returns null when it stands on another branch, or on a part of this one that is not held.
 */
export function place(branch: Messages, message: ChatMessage, selection: Selection): Messages | null {
  const at = branch.findIndex(({ key }) => key === message.key);
  const known = branch[at];
  if (known === undefined) return placeNew(branch, message, selection);
  if (known.rev >= message.rev) return branch;
  if (isInPlace(branch, at, message)) return branch.with(at, message);
  return placeNew(branch.slice(0, at), message, selection);
}

/** Takes a message in only where it is held already. */
export function replaceKnown(branch: Messages, message: ChatMessage): Messages {
  return branch.some(({ key }) => key === message.key)
    ? (place(branch, message, 'untold') ?? branch)
    : branch;
}

/** What is needed to walk from a leaf to the root. */
export interface Told {
  /** Messages of all branches. */
  readonly messages: Messages;
  /** Parents of replies that run, by messageId: such a message may not be among `messages`. */
  readonly parents: ReadonlyMap<string, string>;
  /** Of the conversation when it was told. */
  readonly rev: number;
}

/** What was heard live and continues what an answer ends with: the answer is older. */
function heardSince(held: Messages, last: ChatMessage, rev: number): Messages {
  const lastAt = held.findIndex(({ key }) => key === last.key);
  if (lastAt < 0) return [];
  return held.slice(lastAt + 1).filter((message) => message.rev === 0 || message.rev > rev);
}

/**
 * The branch that ends in `leafId`, put together from what is held and what the server told.
 *
 * @returns null when its end is neither held nor told: it has to be read.
 */
export function chainTo(leafId: string, held: Messages, told: Told): Messages | null {
  const byId = new Map(told.messages.map((message) => [message.messageId, message]));
  for (const message of held) {
    if ((byId.get(message.messageId)?.rev ?? 0) <= message.rev) byId.set(message.messageId, message);
  }
  const chain: ChatMessage[] = [];
  let id: string | null = leafId;
  // Ends: `seq` falls with every step towards the root; the set guards against a server that says otherwise.
  for (const seen = new Set<string>(); id !== null && !seen.has(id); ) {
    seen.add(id);
    const message = byId.get(id);
    if (message !== undefined) chain.unshift(message);
    id = message === undefined ? (told.parents.get(id) ?? null) : message.parentId;
  }
  const [top, last] = [chain[0], chain.at(-1)];
  if (top === undefined || last === undefined) return null;
  // Where the walk met a parent that nobody knows, what was held before that message still stands before it.
  const heldAt = held.findIndex(({ key }) => key === top.key);
  return [...held.slice(0, Math.max(heldAt, 0)), ...chain, ...heardSince(held, last, told.rev)];
}

/**
 * A newest page in the place of what is held. Older pages that it continues stay, and so does what was heard after the
 * page had been read.
 *
 * @param rev of the conversation when the page was read.
 */
export function graft(
  held: Messages,
  page: Messages,
  rev: number,
): { readonly branch: Messages; readonly keptOlder: boolean } {
  const first = page[0];
  const last = page.at(-1);
  if (first === undefined || last === undefined) return { branch: page, keptOlder: false };
  const firstAt = held.findIndex(({ key }) => key === first.key);
  const parentAt = held.findIndex(({ messageId }) => messageId !== null && messageId === first.parentId);
  const older = held.slice(0, firstAt >= 0 ? firstAt : parentAt + 1);
  const known = new Map(held.map((message) => [message.key, message]));
  const merged = page.map((message) => {
    const own = known.get(message.key);
    return own !== undefined && own.rev >= message.rev ? own : message;
  });
  return { branch: [...older, ...merged, ...heardSince(held, last, rev)], keptOlder: older.length > 0 };
}

/** Older messages of the branch before what is held; null when they do not lead to it: the branch has changed. */
export function prepend(held: Messages, older: Messages): Messages | null {
  const known = new Set(held.map(({ key }) => key));
  const fresh = older.filter(({ key }) => !known.has(key));
  const [first, last] = [held[0], fresh.at(-1)];
  if (first === undefined || last === undefined) return held;
  return first.parentId === null || first.parentId === last.messageId ? [...fresh, ...held] : null;
}
