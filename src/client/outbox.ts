/**
 * Sends what the user typed, one message after another, so that the order of typing is the order of `seq`. A message
 * that met no answer because the connection broke stays `sending` and goes out again, under the same id, after the
 * next `conversation:open`; the server answers a repeat with its first answer.
 *
 * The unsent messages are those of the state without a `seq`: whatever is to outlive the page has to restore those.
 */
import type { Value } from '../protocol/events.ts';
import type { Action } from './actions.ts';
import type { Connection } from './connection.ts';
import type { Outcome } from './fault.ts';
import type { ChatMessage, ConversationState } from './state.ts';
import type { Store } from './store.ts';

export interface Outbox {
  /** Sends what waits; returns at once when it is already at it or while there is no session. */
  flush(): Promise<void>;
}

export function createOutbox(
  store: Store<ConversationState, Action>,
  request: Connection['request'],
): Outbox {
  let isFlushing = false;

  function next(): ChatMessage | undefined {
    const { synced, messages } = store.getSnapshot();
    return synced ? messages.find(({ seq, delivery }) => seq === null && delivery === 'sending') : undefined;
  }

  function settle(clientMessageId: string, outcome: Outcome<Value<'message:send'>>): void {
    if (outcome.ok) store.dispatch({ type: 'send:acked', clientMessageId, value: outcome.value });
    else if (outcome.error.code !== 'disconnected') {
      store.dispatch({ type: 'send:failed', clientMessageId, error: outcome.error });
    }
  }

  /** @returns whether the connection is still there. */
  async function send(message: ChatMessage): Promise<boolean> {
    const { conversationId } = store.getSnapshot();
    const payload = {
      clientMessageId: message.key,
      text: message.text,
      ...(conversationId === null ? {} : { conversationId }),
    };
    const outcome = await request('message:send', payload, (answer) => settle(message.key, answer));
    return outcome.ok || outcome.error.code !== 'disconnected';
  }

  return {
    async flush() {
      if (isFlushing) return;
      isFlushing = true;
      // Ends: each turn takes one message out of `sending`, or finds the connection gone.
      for (let message = next(); message !== undefined; message = next()) {
        if (!(await send(message))) break;
      }
      isFlushing = false;
    },
  };
}
