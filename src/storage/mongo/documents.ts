/** What lies in the database: one document for each conversation and each message. No document leaves this folder. */
import type { mongo } from 'mongoose';
import type {
  FinishReason,
  GenerationSetup,
  GenerationStatus,
  PromptTrace,
  Reaction,
  Role,
  StoredCandidate,
} from '../../conversation/message.ts';
import type { FeedbackRating, UserSettings } from '../../conversation/stores.ts';
import type { RaceRecord } from '../../engine/request.ts';
import type { Fork, Stretch } from './lines.ts';

export interface ConversationDocument {
  readonly _id: string;
  readonly userId: string;
  readonly title: string | null;
  readonly personaId: string | null;
  /** There is one such of a user. */
  readonly isDefault: boolean;
  readonly lastSeq: number;
  readonly lastReadSeq: number;
  readonly rev: number;
  readonly selectedLeafId: string | null;
  /** The line of the selected leaf, where that is known to be the last of it; null: it has to be looked up. */
  readonly openLine: number | null;
  /** Milliseconds since the epoch, as every time here that nothing expires by. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** How many turns were asked for on the day that is named. */
  readonly turnsDay: string | null;
  readonly turnsToday: number;
  /** Counts the changes: who has read it changes it only where it still is what they have read. */
  readonly version: number;
  /** What the last change has left to do (changes.ts); null when it is done. */
  readonly pending: PendingWrites | null;
  /** It is gone; what belonged to it goes after it. */
  readonly deleted?: boolean;
}

/** Writes of one change, beside that of the conversation itself. Doing them twice does no harm. */
export interface PendingWrites {
  readonly inserts: readonly MessageDocument[];
  readonly updates: readonly MessageUpdate[];
  readonly removal: Removal | null;
  readonly claim: Claim | null;
  readonly preference: PreferenceDocument | null;
  /** What the conversation was before, for a change that turns out to be impossible. */
  readonly before: ConversationFields;
}

/** All of the conversation goes over from one user to another. */
export interface Claim {
  readonly from: string;
  readonly to: string;
}

/** Messages that are taken out, at one `rev`. */
export interface Removal {
  readonly rev: number;
  readonly stretches: readonly Stretch[];
}

export interface MessageUpdate {
  readonly seq: number;
  /** The message's `rev` before: one that has another was updated by this already, and maybe by others after it. */
  readonly was: number;
  readonly rev: number;
  /** Pairs, since a path is no name of a field. */
  readonly set: readonly (readonly [path: string, value: unknown])[];
  readonly unset: readonly string[];
}

/** What a change may change of a conversation. */
export type ConversationFields = Partial<
  Pick<
    ConversationDocument,
    | 'userId'
    | 'isDefault'
    | 'deleted'
    | 'title'
    | 'lastSeq'
    | 'lastReadSeq'
    | 'rev'
    | 'selectedLeafId'
    | 'openLine'
    | 'updatedAt'
    | 'turnsDay'
    | 'turnsToday'
  >
>;

export interface MessageDocument {
  readonly _id: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly seq: number;
  readonly rev: number;
  readonly role: Role;
  readonly text: string;
  readonly status: GenerationStatus;
  readonly createdAt: number;
  readonly parentId: string | null;
  readonly clientMessageId: string | null;
  /** Of a companion message. */
  readonly generationId?: string;
  /** `seq` of the first message of its line. */
  readonly line: number;
  /** Of the first message of a line only. */
  readonly fork?: Fork;
  /** The client's request that made it. */
  readonly request?: RequestFields;
  readonly finishReason: FinishReason | null;
  readonly shownCandidateId: string | null;
  readonly model: string | null;
  readonly variant: string | null;
  readonly reaction: Reaction | null;
  /** Of a companion message: all of its generation. */
  readonly generation?: GenerationFields;
  /** As long as its generation has not ended. In the order of age: by the clock of the process that took it, not by the times it was given. */
  readonly unfinished?: mongo.ObjectId;
  /** What it was called where it was imported from. */
  readonly externalId?: string;
  /** What a search finds it by (search-terms.ts). */
  readonly terms?: readonly string[];
  readonly place?: number;
  /** What is left of a deleted message says that it was there: `seq` and the client's request stay taken. */
  readonly deleted?: boolean;
}

export interface RequestFields {
  /** As the message has it: an index of what only some have can name these fields alone. */
  readonly userId: string;
  readonly clientId: string;
  readonly bodyHash: string;
  readonly generationId: string;
}

export interface GenerationFields {
  readonly status: GenerationStatus;
  readonly finishReason: FinishReason | null;
  /** What it ended with. */
  readonly text: string;
  /** What it has shown so far, until it ends. */
  readonly log: readonly string[];
  /** UTF-16 units of the log. */
  readonly logUnits: number;
  readonly attempts: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly setup: GenerationSetup | null;
  readonly candidates: readonly CandidateFields[];
  readonly shownCandidateId: string | null;
  readonly race: RaceRecord | null;
}

/** With the features as pairs: their names are no names of fields. */
export interface CandidateFields extends Omit<StoredCandidate, 'features'> {
  readonly features: readonly (readonly [name: string, value: number])[] | null;
}

export interface PromptTraceDocument {
  /** The generation. */
  readonly _id: string;
  readonly userId: string;
  readonly conversationId: string;
  readonly createdAt: number;
  /** By the server's clock; it expires by this. */
  readonly storedAt: Date;
  readonly trace: PromptTrace;
}

export interface PreferenceDocument {
  readonly _id: string;
  readonly userId: string;
  readonly conversationId: string;
  readonly messageId: string;
  readonly generationId: string;
  readonly previousCandidateId: string | null;
  readonly chosenCandidateId: string;
  readonly at: number;
}

export interface FeedbackDocument {
  readonly _id: mongo.ObjectId;
  readonly userId: string;
  readonly conversationId: string;
  readonly rating: FeedbackRating;
  readonly at: number;
}

export interface SettingsDocument extends UserSettings {
  /** The user. */
  readonly _id: string;
}

/** Turns that a user has asked for in conversations which are gone, by conversation. */
export interface DailyTurnsDocument {
  readonly _id: string;
  readonly userId: string;
  readonly day: string;
  readonly conversationId: string;
  readonly turns: number;
  /** By the server's clock; it expires by this. */
  readonly storedAt: Date;
}

export interface ErasedDocument {
  /** A hash of who it was. */
  readonly _id: string;
  readonly at: number;
  /** By the server's clock; it expires by this. */
  readonly storedAt: Date;
}

export interface MetaDocument {
  readonly _id: string;
  readonly value?: number;
  readonly text?: string;
}
