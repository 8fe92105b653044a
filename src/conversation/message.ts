/** What a conversation is made of, as the domain sees it. The wire has its own types: gateway/to-wire.ts. */
import type { CandidateEnd, RaceRecord } from '../engine/request.ts';

export type Role = 'user' | 'companion';

/** Life of a generation, and of the companion message that holds its text. Moves to the right only. */
export type GenerationStatus = 'queued' | 'running' | 'done' | 'cancelled' | 'failed';

export type FinishReason = 'stop' | 'length' | 'cancelled' | 'superseded' | 'filtered' | 'canned';

export interface Conversation {
  readonly conversationId: string;
  readonly userId: string;
  readonly title: string | null;
  readonly personaId: string | null;
  /** Highest `seq` given out; 0 in an empty conversation. */
  readonly lastSeq: number;
  readonly lastReadSeq: number;
  /** Grows with every creation or change in the conversation. */
  readonly rev: number;
  /** The message at the end of the branch that is shown; null in an empty conversation. */
  readonly selectedLeafId: string | null;
  /** Milliseconds since the epoch, like every time in the domain. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The newest message with text, or null. */
  readonly preview: { readonly role: Role; readonly text: string } | null;
}

export interface Message {
  readonly messageId: string;
  readonly conversationId: string;
  readonly userId: string;
  /** Gapless per conversation, over all branches, from 1. */
  readonly seq: number;
  /** The conversation's `rev` at the last change of this message. */
  readonly rev: number;
  readonly role: Role;
  readonly text: string;
  /** User messages are always `done`. */
  readonly status: GenerationStatus;
  readonly createdAt: number;
  readonly parentId: string | null;
  readonly clientMessageId: string | null;
  /** Companion messages: the generation that wrote, writes or will write it. */
  readonly generationId: string | null;
  readonly finishReason: FinishReason | null;
  /** The candidate whose text it shows; null without one. A choice of the user changes it, and the text. */
  readonly shownCandidateId: string | null;
  readonly model: string | null;
  readonly variant: string | null;
  readonly reaction: Reaction | null;
  /** Place among the messages of the same parent and role, by `seq`, from 0. */
  readonly siblings: Siblings;
}

export interface Siblings {
  readonly index: number;
  readonly count: number;
  /** The neighbours' messageIds; absent at the ends. */
  readonly previousId?: string;
  readonly nextId?: string;
}

export type ReactionKind = 'up' | 'down' | 'love' | 'funny' | 'meaningless' | 'offensive';

export interface Reaction {
  readonly kind: ReactionKind;
  readonly comment: string | null;
  readonly at: number;
}

/** A candidate as it is kept with its generation. */
export interface StoredCandidate {
  readonly candidateId: string;
  /** Place among the candidates of the generation, from 0; decides its random stream. */
  readonly index: number;
  readonly text: string;
  /** Generated tokens, the end token included. */
  readonly tokens: number;
  readonly finishReason: CandidateEnd;
  /** Sum of the natural-log probabilities of its tokens under the untempered model. */
  readonly logProb: number;
  /** The ranker's last score; null where nobody ranked. */
  readonly score: number | null;
  /** Values of the features behind the score, by name; null where nobody ranked. */
  readonly features: Readonly<Record<string, number>> | null;
  /** Why it must not be shown, or null. */
  readonly filterReason: string | null;
}

export interface Generation {
  readonly generationId: string;
  readonly conversationId: string;
  readonly userId: string;
  /** The companion message that holds the reply. */
  readonly messageId: string;
  /** The user message that is answered. */
  readonly replyTo: string;
  readonly status: GenerationStatus;
  readonly finishReason: FinishReason | null;
  /** The text as it stood at the end, never a later choice; before the end, what the generation log holds. */
  readonly text: string;
  /** Times that it was started: more than once after a crash. */
  readonly attempts: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly setup: GenerationSetup | null;
  readonly candidates: readonly StoredCandidate[];
  /** candidateId of the shown one; null without a candidate. */
  readonly shownCandidateId: string | null;
  /** How the candidates raced; null before the end, and where none did. The propensity of the shown one is in it. */
  readonly race: RaceRecord | null;
}

/** How a generation was made; written when it starts, so that every reply can be explained and learned from. */
export interface GenerationSetup {
  readonly model: string;
  /** Prompt template with its version, such as `chat@1`. */
  readonly template: string;
  readonly seed: number;
  readonly variant: string | null;
}

/** What went into a prompt, and why; in prompt order. */
export interface PromptTrace {
  readonly template: string;
  readonly model: string;
  readonly promptTokens: number;
  readonly budgetTokens: number;
  readonly parts: readonly PromptPart[];
}

export type PromptPartKind =
  | 'system'
  | 'persona'
  | 'fact'
  | 'recall'
  | 'summary'
  | 'hint'
  | 'style'
  | 'recent';

export interface PromptPart {
  readonly kind: PromptPartKind;
  readonly text: string;
  readonly tokens: number;
  /** One phrase for the person who asks why it is there. */
  readonly reason: string;
  readonly messageId?: string;
  readonly memoryId?: string;
}
