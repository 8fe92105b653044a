/**
 * Makes the state whole again: after a connect by `conversation:open`, after a lost delta by `generation:resume`, and by
 * the newest page when another branch is selected elsewhere.
 */
import type { Value } from '../protocol/events.ts';
import type { Action } from './actions.ts';
import type { Connection } from './connection.ts';
import type { Fault, Outcome } from './fault.ts';
import { hasId } from './messages.ts';
import { isAstray } from './selection.ts';
import type { ConversationState, RunningReply } from './state.ts';
import type { Store } from './store.ts';

type Opened = Outcome<Value<'conversation:open'>>;

export interface Repair {
  /** Reads what was missed, or the newest page at first. @returns why it could not be read, or null. */
  open(): Promise<Fault | null>;
  /** Fetches the missing text of every reply that has a hole. */
  mendHoles(): void;
  /** Reads the newest page when the branch that is held is no longer the selected one. */
  follow(): Promise<void>;
  /** The selected branch was named: an answer that is on its way may be older than that. */
  noteSelection(): void;
}

/** The list of changes does not fit in one answer: the newest page then takes the place of what is held. */
function isTooMuch(outcome: Opened, afterRev: number | null): boolean {
  return outcome.ok && afterRev !== null && outcome.value.hasMore;
}

/** Times that the newest page is read in a row; more needs somebody who switches branches faster than pages are read. */
const readsMax = 5;

export function createRepair(
  store: Store<ConversationState, Action>,
  request: Connection['request'],
): Repair {
  const mending = new Set<string>();
  let isFollowing = false;
  let reading = 0;
  let isNamedAnew = false;

  function takeOpened(outcome: Opened, afterRev: number | null): void {
    if (outcome.ok) {
      if (isTooMuch(outcome, afterRev)) return;
      store.dispatch({ type: 'opened', value: outcome.value, reset: afterRev === null });
    } else if (outcome.error.code !== 'disconnected') {
      // Without a connection the next one starts over; that is no fault to show.
      store.dispatch({ type: 'faulted', about: 'open', error: outcome.error });
    }
  }

  function openOnce(afterRev: number | null): Promise<Opened> {
    const { conversationId } = store.getSnapshot();
    const place = conversationId === null ? {} : { conversationId };
    const payload = afterRev === null ? place : { ...place, afterRev };
    reading += 1;
    return request('conversation:open', payload, (outcome) => {
      reading -= 1;
      takeOpened(outcome, afterRev);
    });
  }

  async function mend({ generationId, messageId }: RunningReply): Promise<void> {
    if (messageId === null || mending.has(generationId)) return;
    mending.add(generationId);
    const offset = store.getSnapshot().branch.find(hasId(messageId))?.text.length ?? 0;
    await request('generation:resume', { generationId, offset }, (outcome) => {
      mending.delete(generationId);
      // A failed resume needs no word: the next delta asks again, and the end brings the whole text.
      if (outcome.ok) store.dispatch({ type: 'resumed', generationId, value: outcome.value });
    });
  }

  async function follow(): Promise<void> {
    if (isFollowing) return;
    isFollowing = true;
    for (let reads = 0; reads < readsMax && (isNamedAnew || isAstray(store.getSnapshot())); reads += 1) {
      isNamedAnew = false;
      if (!(await openOnce(null)).ok) break;
    }
    isFollowing = false;
  }

  return {
    async open() {
      const { loaded, rev } = store.getSnapshot();
      const afterRev = loaded ? rev : null;
      let outcome = await openOnce(afterRev);
      if (isTooMuch(outcome, afterRev)) outcome = await openOnce(null);
      await follow();
      return outcome.ok ? null : outcome.error;
    },
    mendHoles() {
      for (const reply of Object.values(store.getSnapshot().replies)) if (reply.hole) void mend(reply);
    },
    follow,
    noteSelection() {
      if (reading > 0) isNamedAnew = true;
    },
  };
}
