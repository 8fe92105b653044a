import type {
  ConversationListStore,
  ConversationStore,
  GenerationStore,
  SettingsStore,
} from '../conversation/stores.ts';
import type { ReactionStore } from '../reactions/stores.ts';
import type { CopyTarget, RecordStore } from '../records/stores.ts';

/** One opened store: everything that the domain folders ask of it. */
export interface Store
  extends ConversationStore,
    ConversationListStore,
    GenerationStore,
    ReactionStore,
    SettingsStore,
    RecordStore,
    CopyTarget,
    AsyncDisposable {
  /** Resolves when the store can be read and written; else throws CodedError `store_unavailable`. */
  ping(): Promise<void>;
}
