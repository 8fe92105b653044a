/**
 * Sends what the user typed, one message after another, so that the order of typing is the order of `seq`. A message
 * that met no answer because the connection broke stays `sending` and goes out again, under the same id, after the
 * next `conversation:open`; the server answers a repeat with its first answer.
 *
 * The unsent messages are those of the state without a `seq`: whatever is to outlive the page has to restore those.
 */
import type { Value } from '../protocol/events.ts';
import { limits } from '../protocol/limits.ts';
import type { Action } from './actions.ts';
import type { Connection } from './connection.ts';
import type { Fault, Outcome } from './fault.ts';
import type { ChatMessage, ConversationState } from './state.ts';
import type { Store } from './store.ts';

/** Bytes of a payload that fit into a frame beside the name of the event and its id; control characters take six each. */
const frameTextBytesMax = limits.frameBytesMax - 256;

const tooLargeFault: Fault = {
  code: 'too_large',
  message: 'This text has too many control characters to be sent.',
  retryable: false,
};

export interface Outbox {
  /** Sends what waits; returns at once when it is already at it or while there is no session. */
  flush(): Promise<void>;
}

/** Times that a message may meet silence before the user is asked. The first may be a link that died without a word. */
const silencesMax = 2;

export function createOutbox(
  store: Store<ConversationState, Action>,
  { request, renew }: Pick<Connection, 'request' | 'renew'>,
): Outbox {
  let isFlushing = false;
  const silences = new Map<string, number>();

  function next(): ChatMessage | undefined {
    const { synced, messages } = store.getSnapshot();
    return synced ? messages.find(({ seq, delivery }) => seq === null && delivery === 'sending') : undefined;
  }

  function settle(clientMessageId: string, outcome: Outcome<Value<'message:send'>>): void {
    if (outcome.ok) store.dispatch({ type: 'send:acked', clientMessageId, value: outcome.value });
    else if (!isToBeSentAgain(clientMessageId, outcome.error)) {
      store.dispatch({ type: 'send:failed', clientMessageId, error: outcome.error });
    }
  }

  function isToBeSentAgain(clientMessageId: string, { code }: Fault): boolean {
    if (code !== 'timeout') return code === 'disconnected';
    const count = (silences.get(clientMessageId) ?? 0) + 1;
    silences.set(clientMessageId, count);
    if (count >= silencesMax) silences.delete(clientMessageId);
    return count < silencesMax;
  }

  /** @returns whether to go on with the next message. */
  async function send(message: ChatMessage): Promise<boolean> {
    const { conversationId } = store.getSnapshot();
    const payload = {
      clientMessageId: message.key,
      text: message.text,
      ...(conversationId === null ? {} : { conversationId }),
    };
    if (new TextEncoder().encode(JSON.stringify(payload)).length > frameTextBytesMax) {
      // The server would close the connection, again and again.
      settle(message.key, { ok: false, error: tooLargeFault });
      return true;
    }
    const outcome = await request('message:send', payload, (answer) => settle(message.key, answer));
    if (outcome.ok) return true;
    if (outcome.error.code === 'timeout' && silences.has(message.key)) {
      renew();
      return false;
    }
    return outcome.error.code !== 'disconnected';
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
