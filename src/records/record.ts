/**
 * Everything that a store keeps of people, in a form that is the same for every store: what is exported, copied from one store to another
 * and compared. Lists are in the order that their comments name, so that two stores that hold the same give the same.
 */
import type { Conversation, Generation, Message, PromptTrace, Role } from '../conversation/message.ts';
import type { FeedbackRating, UserSettings } from '../conversation/stores.ts';

/** What is kept of a user beside their conversations. */
export interface UserRecord {
  readonly userId: string;
  /** Null: never changed from the defaults. */
  readonly settings: UserSettings | null;
  /** Turns that count on a day in conversations that are gone; by day. */
  readonly dailyTurns: readonly { readonly day: string; readonly turns: number }[];
}

/** One conversation with all that belongs to it. */
export interface ConversationRecord extends Omit<Conversation, 'preview'> {
  readonly isDefault: boolean;
  /** Turns that were asked for on this day, the last on which there were any. */
  readonly turnsDay: string | null;
  readonly turnsToday: number;
  /** By `seq`. */
  readonly messages: readonly MessageRecord[];
  /** Messages that are gone, for devices that were away; by `rev`, then by id. */
  readonly deleted: readonly { readonly messageId: string; readonly rev: number }[];
  /** By client id. */
  readonly requests: readonly RequestRecord[];
  /** By time, then by generation and candidate. */
  readonly preferences: readonly PreferenceRecord[];
  /** By time, then by rating. */
  readonly feedback: readonly { readonly rating: FeedbackRating; readonly at: number }[];
}

/** `userId` and `conversationId` are those of the conversation; `siblings` follow from the other messages. */
export interface MessageRecord extends Omit<Message, 'conversationId' | 'userId' | 'siblings'> {
  /** What it was called where it was imported from. */
  readonly externalId: string | null;
  /** Of a companion message; null for an imported one. */
  readonly generation: GenerationRecord | null;
}

/** `messageId` and `replyTo` are those of the message and of its parent. */
export interface GenerationRecord
  extends Omit<Generation, 'generationId' | 'conversationId' | 'userId' | 'messageId' | 'replyTo'> {
  /** Null when there is none, and when it has expired. */
  readonly trace: { readonly createdAt: number; readonly trace: PromptTrace } | null;
}

/** What a client has asked for under an id of its own. */
export interface RequestRecord {
  readonly clientId: string;
  readonly bodyHash: string;
  /** The message that it made, which may be gone. */
  readonly messageId: string;
  readonly seq: number;
  readonly role: Role;
  readonly generationId: string;
}

export interface PreferenceRecord {
  readonly messageId: string;
  readonly generationId: string;
  readonly previousCandidateId: string | null;
  readonly chosenCandidateId: string;
  readonly at: number;
}
