/** Makes the state whole again: after a connect by `conversation:open`, after a lost delta by `generation:resume`. */
import type { Action } from './actions.ts';
import type { Connection } from './connection.ts';
import { hasId } from './messages.ts';
import type { ConversationState, RunningReply } from './state.ts';
import type { Store } from './store.ts';

export interface Repair {
  /** Reads what was missed, or the newest page at first. */
  open(): Promise<void>;
  /** Fetches the missing text of every reply that has a hole. */
  mendHoles(): void;
}

export function createRepair(
  store: Store<ConversationState, Action>,
  request: Connection['request'],
): Repair {
  const mending = new Set<string>();

  async function openOnce(afterRev: number | null): Promise<'done' | 'too much missed'> {
    const { conversationId } = store.getSnapshot();
    const outcome = await request('conversation:open', {
      ...(conversationId === null ? {} : { conversationId }),
      ...(afterRev === null ? {} : { afterRev }),
    });
    if (!outcome.ok) {
      // Without a connection the next one starts over; that is no fault to show.
      if (outcome.error.code !== 'disconnected')
        store.dispatch({ type: 'faulted', about: 'open', error: outcome.error });
      return 'done';
    }
    if (afterRev !== null && outcome.value.hasMore) return 'too much missed';
    store.dispatch({ type: 'opened', value: outcome.value, reset: afterRev === null });
    return 'done';
  }

  async function mend({ generationId, messageId }: RunningReply): Promise<void> {
    if (messageId === null || mending.has(generationId)) return;
    mending.add(generationId);
    const offset = store.getSnapshot().messages.find(hasId(messageId))?.text.length ?? 0;
    const outcome = await request('generation:resume', { generationId, offset });
    mending.delete(generationId);
    // A failed resume needs no word: the next delta asks again, and the end brings the whole text.
    if (outcome.ok) store.dispatch({ type: 'resumed', generationId, value: outcome.value });
  }

  return {
    async open() {
      const { loaded, rev } = store.getSnapshot();
      if ((await openOnce(loaded ? rev : null)) === 'too much missed') await openOnce(null);
    },
    mendHoles() {
      for (const reply of Object.values(store.getSnapshot().replies)) if (reply.hole) void mend(reply);
    },
  };
}
