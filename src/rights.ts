/** What a person may ask of their data, beside what is going on for them on this server. */
import type { Replies } from './conversation/replies.ts';
import type { Claimed } from './conversation/stores.ts';
import type { Session } from './gateway/session.ts';
import type { Sessions } from './gateway/sessions.ts';
import { exportUser } from './records/export-user.ts';
import type { Erased } from './records/stores.ts';
import type { Clock } from './std/clock.ts';
import type { Store } from './storage/store.ts';
import { userKeyOf } from './user-key.ts';

export interface Rights {
  /** Gives all that one user has to another. */
  claim(claim: { readonly from: string; readonly to: string }): Promise<Claimed>;
  /** All that is kept of a user, as the pieces of one JSON document. */
  export(userId: string): Promise<AsyncIterable<string>>;
  /** Ends what goes on for a user, and takes out all that is kept of them. */
  erase(userId: string): Promise<Erased>;
}

interface RightsDeps {
  readonly store: Store;
  readonly replies: Replies;
  readonly sessions: Sessions;
  readonly clock: Pick<Clock, 'now'>;
  /** Whether the tokens of users are this server's own, so that nobody else can refuse them. */
  readonly hasGuests: boolean;
}

export function createRights(deps: RightsDeps): Rights {
  const { store, replies, clock, hasGuests } = deps;
  return {
    // Nothing may be written for a guest while what the guest has changes hands; its devices come back to find nothing.
    async claim(claim) {
      await replies.stopAll(replies.ofUser(claim.from));
      const claimed = await store.claimUser(claim);
      await sendHome(deps, claim.from);
      return claimed;
    },
    export: (userId) => exportUser({ store, clock }, userId),
    async erase(userId) {
      const erasure = { userId, userKey: hasGuests ? userKeyOf(userId) : null, at: clock.now() };
      // From here on a guest's tokens are refused. What was let in before is waited for, and erased with what it has written.
      const erased = await store.eraseUser(erasure);
      await sendHome(deps, userId);
      await replies.stopAll(replies.ofUser(userId));
      return sum(erased, await store.eraseUser(erasure));
    },
  };
}

function sum(one: Erased, other: Erased): Erased {
  const names = Object.keys(one) as (keyof Erased)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as {
    [N in keyof Erased]: number;
  };
}

/** Closes the connections of a user's devices; resolves when nothing is worked on for them. */
async function sendHome({ sessions }: Pick<RightsDeps, 'sessions'>, userId: string): Promise<void> {
  const devices: readonly Session[] = sessions.of(userId);
  await Promise.all(devices.map((device) => device.dismiss()));
  await Promise.all(devices.map((device) => device.idle()));
}
