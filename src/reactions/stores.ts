import type { Message, ReactionKind } from '../conversation/message.ts';

/** See conversation/stores.ts for what is common to all stores. */
export interface ReactionStore {
  /**
   * Sets the user's one reaction to a message, replacing an earlier one. The same kind and comment again change nothing
   * (not even `rev`). Null when the message is not the user's; 'unsupported' for a user message or an empty one.
   */
  setReaction(set: {
    readonly userId: string;
    readonly messageId: string;
    readonly kind: ReactionKind;
    readonly comment: string | null;
    readonly at: number;
  }): Promise<Message | 'unsupported' | null>;

  /** Takes it back; harmless when there is none. Null when the message is not the user's. */
  clearReaction(clear: {
    readonly userId: string;
    readonly messageId: string;
    readonly at: number;
  }): Promise<Message | null>;
}
