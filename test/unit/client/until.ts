import type { AmityClient } from '../../../src/client/amity-client.ts';
import type { ConversationState } from '../../../src/client/state.ts';

/** Resolves with the first snapshot, now or later, of which `isIt` holds. */
export function until(
  client: AmityClient,
  isIt: (state: ConversationState) => boolean,
): Promise<ConversationState> {
  return new Promise((resolve) => {
    const check = () => {
      if (!isIt(client.getSnapshot())) return;
      unsubscribe();
      resolve(client.getSnapshot());
    };
    const unsubscribe = client.subscribe(check);
    check();
  });
}
