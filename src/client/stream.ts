import type { Action } from './actions.ts';
import { AmityError, disconnectedFault } from './fault.ts';
import { isUnfinished } from './messages.ts';
import type { ChatMessage, ConversationState } from './state.ts';
import type { Store } from './store.ts';

/**
 * The text of the reply to a message, piece by piece, across lost connections. It ends with the reply; without one where the message
 * is no longer shown.
 *
 * @param clientId what `send` or `edit` gave back
 * @throws AmityError when the message could not be sent, the reply failed, or the client was closed
 */
export async function* streamReply(
  store: Pick<Store<ConversationState, Action>, 'getSnapshot' | 'subscribe'>,
  clientId: string,
): AsyncGenerator<string, void> {
  let given = 0;
  for (;;) {
    const state = store.getSnapshot();
    const message = state.messages.find(({ key }) => key === clientId);
    if (message === undefined) return;
    if (message.error !== null) throw new AmityError(message.error);
    const reply = replyTo(state, message);
    const fresh = reply?.text.slice(given) ?? '';
    if (fresh !== '') {
      given += fresh.length;
      yield fresh;
      continue;
    }
    if (reply?.error != null) throw new AmityError(reply.error);
    if (reply !== undefined && !isUnfinished(reply)) return;
    if (state.connection.state === 'closed') throw new AmityError(disconnectedFault);
    await change(store, state);
  }
}

function replyTo({ messages }: ConversationState, { messageId }: ChatMessage): ChatMessage | undefined {
  if (messageId === null) return undefined;
  return messages.find(({ parentId, role }) => role === 'companion' && parentId === messageId);
}

/** Resolves when the state is another one. */
function change(
  { getSnapshot, subscribe }: Pick<Store<ConversationState, Action>, 'getSnapshot' | 'subscribe'>,
  seen: ConversationState,
): Promise<void> {
  return new Promise((resolve) => {
    const end = subscribe(() => {
      if (getSnapshot() === seen) return;
      end();
      resolve();
    });
  });
}
