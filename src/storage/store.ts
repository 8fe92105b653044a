import type { ConversationStore, GenerationStore } from '../conversation/stores.ts';
import type { ReactionStore } from '../reactions/stores.ts';

/** One opened store: everything that the domain folders ask of it. */
export interface Store extends ConversationStore, GenerationStore, ReactionStore, AsyncDisposable {
  /** Resolves when the store can be read and written; else throws CodedError `store_unavailable`. */
  ping(): Promise<void>;
}
