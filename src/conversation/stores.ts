/**
 * What the conversation needs of a store. `storage/` implements it; `test/contract/` holds every implementation to it.
 *
 * Common to all: a method resolves when its effect is durable; every change is atomic; whatever belongs to another
 * user is as good as absent (null, `not_found`). When the store cannot do its work it throws CodedError
 * `store_unavailable` and has changed nothing.
 */
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
   * Two calls with one `clientMessageId` of one user store one turn: the first wins, others get `duplicate` when their
   * body is the same (`bodyHash`), else `conflict`. This holds also between concurrent calls.
   */
  appendTurn(turn: NewTurn): Promise<AppendedTurn>;

  /** What a client's id stands for, so that a repeat is answered also when nothing new is taken. */
  askedTurn(userId: string, clientMessageId: string): Promise<AskedTurn | null>;
}

/** A turn that a client asked for before. */
export interface AskedTurn {
  readonly bodyHash: string;
  readonly user: Message;
  readonly generationId: string;
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
  readonly clientMessageId: string;
  /** Hash of the whole request body after defaults and NFC. */
  readonly bodyHash: string;
  readonly text: string;
  /** undefined = the selected leaf; null = a new root; else a companion message of the conversation. */
  readonly parentId: string | null | undefined;
  readonly userMessageId: string;
  readonly companionMessageId: string;
  readonly generationId: string;
  readonly at: number;
}

export type AppendedTurn =
  | {
      readonly kind: 'created';
      readonly user: Message;
      readonly companion: Message;
      readonly generation: Generation;
    }
  /** What the first call stored. */
  | { readonly kind: 'duplicate'; readonly user: Message; readonly generationId: string }
  | { readonly kind: 'conflict'; readonly reason: string }
  | { readonly kind: 'not_found' };

export interface GenerationStore {
  generation(userId: string, generationId: string): Promise<Generation | null>;

  /** Those of the conversation that have not ended, by age. */
  activeGenerations(conversationId: string): Promise<readonly Generation[]>;

  /** All that have not ended, of all users: what a restart left behind. By age. */
  unfinishedGenerations(): Promise<readonly Generation[]>;

  /** queued -> running, with its set-up and prompt trace. False when it is not queued any more. */
  startGeneration(start: {
    readonly generationId: string;
    readonly setup: GenerationSetup;
    readonly trace: PromptTrace;
    readonly at: number;
  }): Promise<boolean>;

  /**
   * Ends a generation and writes its text into the companion message. The first end wins: a second call changes
   * nothing and returns the message as the first one left it. Null when there is no such generation.
   */
  endGeneration(end: GenerationEnd): Promise<Message | null>;

  /** The trace stored at the start; null before the start, and after its 7 days. */
  promptTrace(userId: string, generationId: string): Promise<PromptTrace | null>;
}

export interface GenerationEnd {
  readonly generationId: string;
  readonly status: 'done' | 'cancelled' | 'failed';
  /** null exactly when `status` is 'failed'. */
  readonly finishReason: FinishReason | null;
  readonly text: string;
  readonly candidates: readonly StoredCandidate[];
  readonly shownCandidateId: string | null;
  readonly propensity: number | null;
  readonly at: number;
}
