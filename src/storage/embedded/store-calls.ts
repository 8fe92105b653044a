/** What passes between the thread that asks a store and the one that has it. */
import type { AppendedTurn, NewTurn } from '../../conversation/stores.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import { CodedError } from '../../std/coded-error.ts';
import { asCreated, type TurnPlace } from '../new-turn.ts';
import type { Store } from '../store.ts';

export type StoreMethod = Exclude<keyof Store, symbol>;

/** All that a store can be asked. */
export const storeMethods = Object.keys({
  appendFeedback: true,
  appendReply: true,
  appendText: true,
  appendTurn: true,
  askedTurn: true,
  branchPage: true,
  changedAfter: true,
  changeSettings: true,
  chooseCandidate: true,
  claimUser: true,
  clearReaction: true,
  conversation: true,
  copyMark: true,
  conversationAges: true,
  conversationIds: true,
  conversationRecord: true,
  createConversation: true,
  defaultConversation: true,
  deleteConversation: true,
  deletedAfter: true,
  deleteMessage: true,
  endGeneration: true,
  erasedUsers: true,
  eraseUser: true,
  generation: true,
  isErased: true,
  listConversations: true,
  markRead: true,
  message: true,
  ping: true,
  promptTrace: true,
  putConversation: true,
  putErased: true,
  putUser: true,
  renameConversation: true,
  replaceCandidate: true,
  searchMessages: true,
  selectBranch: true,
  setCopyMark: true,
  setReaction: true,
  settings: true,
  startGeneration: true,
  unfinishedGenerations: true,
  userIds: true,
  userRecord: true,
} satisfies Record<StoreMethod, true>) as readonly StoreMethod[];

export interface StoreCall {
  readonly id: number;
  readonly method: StoreMethod;
  /** Plain data. */
  readonly args: readonly unknown[];
}

/** A turn that was stored as the first after its parent: who asked for it knows the rest. Most answers under load are of this kind. */
interface SentPlace extends TurnPlace {
  readonly kind: 'placed';
}

export interface StoreAnswer {
  readonly id: number;
  readonly result: { readonly ok: true; readonly value: unknown } | SentError;
}

/** An error as it survives the way between threads, which takes its class and its own fields away. */
export interface SentError {
  readonly ok: false;
  /** Of a CodedError. */
  readonly code: ErrorCode | null;
  readonly error: unknown;
}

/** The first message of the thread: whether the store is open. */
export type StoreOpened = { readonly ok: true } | SentError;

/** To the thread: calls, or that there will be none any more. */
export type ToStoreThread = readonly StoreCall[] | 'close';

export function toSentError(error: unknown): SentError {
  return { ok: false, code: error instanceof CodedError ? error.code : null, error };
}

export function fromSentError({ code, error }: SentError): unknown {
  if (code === null || !(error instanceof Error)) return error;
  return new CodedError(code, error.message, { cause: error.cause });
}

/** What a method has answered, as it is sent. */
export function toSent({ method }: StoreCall, value: unknown): unknown {
  if (method !== 'appendTurn') return value;
  const answer = value as AppendedTurn;
  if (answer.kind !== 'created' || answer.olderSiblings.length > 0) return value;
  const { parentId, seq, rev } = answer.user;
  return { kind: 'placed', parentId, seq, rev } satisfies SentPlace;
}

export function fromSent({ method, args }: StoreCall, sent: unknown): unknown {
  if (method !== 'appendTurn') return sent;
  const answer = sent as AppendedTurn | SentPlace;
  return answer.kind === 'placed' ? asCreated(args[0] as NewTurn, answer) : answer;
}
