/**
 * What the conversation needs of a store. `storage/` implements it; `test/contract/` holds every implementation to it.
 *
 * Common to all: a method resolves when its effect is durable; every change is atomic; whatever belongs to another
 * user is as good as absent (null, `not_found`). When the store cannot do its work it throws CodedError
 * `store_unavailable` and has changed nothing.
 */
import type { RaceRecord } from '../engine/request.ts';
import type {
  Conversation,
  FinishReason,
  Generation,
  GenerationSetup,
  Message,
  PromptTrace,
  StoredCandidate,
} from './message.ts';

export interface ConversationStore {
  /** The user's default conversation; made at first use with the given id and time, else returned as it is. */
  defaultConversation(use: { userId: string; newConversationId: string; at: number }): Promise<Conversation>;

  conversation(userId: string, conversationId: string): Promise<Conversation | null>;

  message(userId: string, messageId: string): Promise<Message | null>;

  /**
   * The branch that ends in `leafId` (from its root), or the part of it before `beforeSeq`: the newest `limit` messages
   * of it, oldest first. `hasMore` tells whether older ones exist.
   */
  branchPage(
    query: BranchQuery,
  ): Promise<{ readonly messages: readonly Message[]; readonly hasMore: boolean }>;

  /** Every message of the conversation created or changed after `afterRev`, on all branches, by `seq`. */
  changedAfter(conversationId: string, afterRev: number): Promise<readonly Message[]>;

  /**
   * Stores a user message, the empty companion message that will hold its reply (two successive `seq`) and the queued
   * generation, and selects the new branch: all or nothing.
   *
   * Two calls with one `clientId` of one user store one turn: the first wins, others get `duplicate` when their
   * body is the same (`bodyHash`), else `conflict`. This holds also between concurrent calls, and across `appendReply`.
   */
  appendTurn(turn: NewTurn): Promise<AppendedTurn>;

  /** Stores one more empty companion message beside an existing one, with its queued generation; else as `appendTurn`. */
  appendReply(reply: NewReply): Promise<AppendedReply>;

  /** What a client's id stands for, so that a repeat is answered also when nothing new is taken. */
  askedTurn(userId: string, clientId: string): Promise<AskedTurn | null>;

  /**
   * Selects the branch through a message: unless it is on the selected one already, down to the newest leaf below it.
   * Null when there is no such message.
   */
  selectBranch(select: { userId: string; messageId: string; at: number }): Promise<Conversation | null>;

  /**
   * Makes a finished candidate the text of its message, takes the reaction back and logs the preference; the
   * generation keeps the text that it ended with. Choosing what is shown changes nothing. Null when there is no such
   * message or candidate; `unsupported` when the candidate was filtered, is empty or has no end of its own, or the
   * generation has not ended.
   */
  chooseCandidate(choice: {
    userId: string;
    messageId: string;
    candidateId: string;
    at: number;
  }): Promise<Message | 'unsupported' | null>;
}

/** Several conversations of one user. */
export interface ConversationListStore {
  /** Those of the user, the one changed last first, from behind `after` on. */
  listConversations(query: {
    readonly userId: string;
    readonly after: ListPlace | null;
    readonly limit: number;
  }): Promise<{ readonly conversations: readonly Conversation[]; readonly hasMore: boolean }>;

  /** `unsupported` when the user has `conversationsMax` already. */
  createConversation(made: {
    readonly userId: string;
    readonly conversationId: string;
    readonly title: string | null;
    readonly personaId: string | null;
    readonly at: number;
  }): Promise<Conversation | 'unsupported'>;

  /** The same title again changes nothing (not even `rev`). Null when there is no such conversation. */
  renameConversation(change: {
    readonly userId: string;
    readonly conversationId: string;
    readonly title: string | null;
    readonly at: number;
  }): Promise<Conversation | null>;

  /** `lastReadSeq` never goes back, and not beyond `lastSeq`. Null when there is no such conversation. */
  markRead(read: {
    readonly userId: string;
    readonly conversationId: string;
    readonly seq: number;
  }): Promise<Conversation | null>;

  /** With all that belongs to it; the client ids used in it may be used again. False when there is no such conversation. */
  deleteConversation(userId: string, conversationId: string): Promise<boolean>;

  /**
   * A message and what hangs below it. When the selected branch led through it, the newest one through its parent is selected: from the
   * root the newest of all. Null when there is no such message.
   */
  deleteMessage(deletion: {
    readonly userId: string;
    readonly messageId: string;
    readonly at: number;
  }): Promise<DeletedMessages | null>;

  /** Messages of the conversation that were deleted after `afterRev`. */
  deletedAfter(conversationId: string, afterRev: number): Promise<readonly string[]>;

  /** Messages of the user that hold all words of the query, the last one perhaps only begun; newest first, from behind `after` on. */
  searchMessages(
    query: SearchQuery,
  ): Promise<{ readonly hits: readonly SearchHit[]; readonly hasMore: boolean }>;

  /** Gives all that one user has to another, who keeps what they have: their default conversation, client ids and settings. */
  claimUser(claim: { readonly from: string; readonly to: string }): Promise<Claimed>;

  appendFeedback(feedback: {
    readonly userId: string;
    readonly conversationId: string;
    readonly rating: FeedbackRating;
    readonly at: number;
  }): Promise<void>;
}

/** What has changed hands. */
export interface Claimed {
  readonly conversations: number;
  readonly messages: number;
}

/** Where a page of a list ended. */
export interface ListPlace {
  readonly updatedAt: number;
  readonly conversationId: string;
}

/** Conversations that one user may have. */
export const conversationsMax = 1000;

export interface DeletedMessages {
  /** As it is afterwards. */
  readonly conversation: Conversation;
  readonly messageIds: readonly string[];
  /** The versions that stood beside it: their `siblings` have changed, and so their `rev`. */
  readonly siblings: readonly Message[];
}

export interface SearchQuery {
  readonly userId: string;
  readonly conversationId: string | null;
  /** At least one, in NFC. */
  readonly words: readonly string[];
  readonly after: number | null;
  readonly limit: number;
}

export interface SearchHit {
  readonly message: Message;
  /** The part of its text around the words. */
  readonly excerpt: string;
  /** For `after`. */
  readonly place: number;
}

export type FeedbackRating = 'better' | 'same' | 'worse';

export interface SettingsStore {
  /** Those of the user, or the defaults. */
  settings(userId: string): Promise<UserSettings>;

  /** Fields that are not given stay as they are. */
  changeSettings(userId: string, change: Partial<UserSettings>): Promise<UserSettings>;
}

export interface UserSettings {
  /** Whether what the user writes and reacts to may be used to train. */
  readonly trainingConsent: boolean;
  readonly styleEnabled: boolean;
  readonly locale: string | null;
  readonly timeZone: string | null;
}

/** What a client was answered when it first asked for a turn or a further reply. The message may have been deleted since. */
export interface FirstAnswer {
  /** Of the user message of a turn; of the companion message of a further reply. */
  readonly messageId: string;
  readonly conversationId: string;
  readonly seq: number;
  readonly generationId: string;
}

/** What a repeat of a client's request gets. */
export type Duplicate = { readonly kind: 'duplicate' } & FirstAnswer;

export interface AskedTurn extends FirstAnswer {
  readonly bodyHash: string;
}

export interface BranchQuery {
  readonly conversationId: string;
  readonly leafId: string;
  readonly beforeSeq?: number;
  readonly limit: number;
}

export interface NewTurn {
  readonly userId: string;
  readonly conversationId: string;
  /** The UUID that the client gave its request. */
  readonly clientId: string;
  /** Hash of the whole request body after defaults and NFC. */
  readonly bodyHash: string;
  readonly text: string;
  readonly place: TurnPlace;
  /** Null: as much as they like. */
  readonly quota: Quota | null;
  readonly userMessageId: string;
  readonly companionMessageId: string;
  readonly generationId: string;
  readonly at: number;
}

export type TurnPlace =
  /** undefined = the selected leaf; null = a new root; else a companion message of the conversation. */
  | { readonly parentId: string | null | undefined }
  /** Beside this user message: an edit of it. */
  | { readonly siblingOf: string };

export interface NewReply {
  readonly userId: string;
  readonly clientId: string;
  readonly bodyHash: string;
  /** The companion message that gets a sibling. */
  readonly siblingOf: string;
  readonly quota: Quota | null;
  readonly companionMessageId: string;
  readonly generationId: string;
  readonly at: number;
}

/** Versions that one message may have: siblings of one parent and role. */
export const siblingsMax = 100;

/** How much of what costs computing a user may ask for. */
export interface Quota {
  /** Of UTC: `2026-11-29`. */
  readonly day: string;
  /** Turns and further replies on one day. */
  readonly turnsMax: number;
}

/** What a new turn, or a further reply to an old one, has become. */
interface Appended {
  readonly kind: 'created';
  /** The user message that is answered. */
  readonly user: Message;
  readonly companion: Message;
  readonly generation: Generation;
  /** Older siblings of the new message: their `siblings.count` has changed, and so their `rev`. */
  readonly olderSiblings: readonly Message[];
}

export type AppendedTurn = Appended | Duplicate | NotAppended;

export type AppendedReply = Appended | Duplicate | NotAppended;

export type NotAppended =
  | { readonly kind: 'conflict'; readonly reason: string }
  /** The message is of the wrong role, or has `siblingsMax` versions. */
  | { readonly kind: 'unsupported'; readonly reason: string }
  | { readonly kind: 'not_found' }
  /** The user has asked for as much as may be on one day. */
  | { readonly kind: 'over_quota' };

export interface GenerationStore {
  generation(userId: string, generationId: string): Promise<Generation | null>;

  /** All that have not ended, of all users: what a restart left behind. By age. */
  unfinishedGenerations(): Promise<readonly Generation[]>;

  /**
   * queued -> running, with its set-up and prompt trace; counts the attempt. Also for one that runs already: a crash
   * broke it off; `startedAt` stays that of the first start. False when it has ended.
   */
  startGeneration(start: {
    readonly generationId: string;
    readonly setup: GenerationSetup;
    readonly trace: PromptTrace;
    readonly at: number;
  }): Promise<boolean>;

  /**
   * Adds to the generation log: text of the reply from `offset` (UTF-16) on. What is appended outlives the process, though not
   * a power cut; texts are shown only after it. False when the generation has ended.
   *
   * @throws Error when `offset` is not where the log ends: a bug of the caller.
   */
  appendText(piece: {
    readonly generationId: string;
    readonly offset: number;
    readonly text: string;
  }): Promise<boolean>;

  /**
   * Puts a candidate in the place of the stored one with its `candidateId`: the runner-up has come to its end after the generation
   * did. False when there is none.
   */
  replaceCandidate(generationId: string, candidate: StoredCandidate): Promise<boolean>;

  /**
   * Ends a generation and writes its text into the companion message. The first end wins: a second call changes
   * nothing and returns the message as the first one left it. Null when there is no such generation.
   */
  endGeneration(end: GenerationEnd): Promise<Message | null>;

  /** The trace stored at the start; null before the start, and when it is 7 days old `at` this time. */
  promptTrace(userId: string, generationId: string, at: number): Promise<PromptTrace | null>;
}

export interface GenerationEnd {
  readonly generationId: string;
  readonly status: 'done' | 'cancelled' | 'failed';
  /** null exactly when `status` is 'failed'. */
  readonly finishReason: FinishReason | null;
  readonly text: string;
  readonly candidates: readonly StoredCandidate[];
  readonly shownCandidateId: string | null;
  readonly race: RaceRecord | null;
  readonly at: number;
}
