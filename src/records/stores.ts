import type { ConversationRecord, UserRecord } from './record.ts';

/** Whole users and whole conversations. See conversation/stores.ts for what is common to all stores. */
export interface RecordStore {
  /** Users of whom anything is kept, by id, from behind `after` on: `limit` at most, fewer only at the end. */
  userIds(page: IdPage): Promise<readonly string[]>;

  userRecord(userId: string): Promise<UserRecord>;

  /** Of the user's conversations, by id, from behind `after` on: `limit` at most, fewer only at the end. */
  conversationIds(page: IdPage & { readonly userId: string }): Promise<readonly string[]>;

  /** All conversations with their last change, by id, from behind `after` on: `limit` at most, fewer only at the end. */
  conversationAges(
    page: IdPage,
  ): Promise<
    readonly { readonly conversationId: string; readonly userId: string; readonly updatedAt: number }[]
  >;

  /** Null when there is no such conversation. `at`: what has expired by then is not in it. */
  conversationRecord(asked: {
    readonly userId: string;
    readonly conversationId: string;
    readonly at: number;
  }): Promise<ConversationRecord | null>;

  /** In the place of what is kept of the user. */
  putUser(record: UserRecord): Promise<void>;

  /** In the place of the conversation with its id. One that breaks off can be put again. */
  putConversation(record: ConversationRecord): Promise<void>;

  /**
   * Takes out all that is kept of a user. One that breaks off can be asked for again.
   *
   * @param erasure `userKey`: what is kept instead, so that the user's tokens are refused from now on; null: nothing is.
   */
  eraseUser(erasure: {
    readonly userId: string;
    readonly userKey: string | null;
    readonly at: number;
  }): Promise<Erased>;

  /** Whether a user was erased under this key. */
  isErased(userKey: string): Promise<boolean>;

  /** Keys of users who were erased, by key, from behind `after` on: `limit` at most, fewer only at the end. */
  erasedUsers(page: IdPage): Promise<readonly { readonly userKey: string; readonly at: number }[]>;

  putErased(userKey: string, at: number): Promise<void>;
}

/** A store into which another one is copied. */
export interface CopyTarget {
  /** The last user of whom all is there; '' when there is none yet; null when no copy into it goes on. */
  copyMark(): Promise<string | null>;
  setCopyMark(userId: string | null): Promise<void>;
}

export interface IdPage {
  readonly after: string | null;
  readonly limit: number;
}

/** How many of each there were. */
export interface Erased {
  readonly conversations: number;
  readonly messages: number;
  readonly generations: number;
  readonly reactions: number;
  readonly preferences: number;
  readonly feedback: number;
  readonly settings: number;
}
