import type { BranchReads } from './branch-reads.ts';
import type { Changes } from './changes.ts';
import type { MessageReads } from './message-reads.ts';
import type { Models } from './models.ts';

/** What every operation of the store works with. */
export interface Context {
  readonly models: Models;
  readonly changes: Changes;
  readonly reads: MessageReads;
  readonly branches: BranchReads;
}
