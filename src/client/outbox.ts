/**
 * Sends what the user asked for, one request after another, so that the order of asking is the order of `seq`. A request
 * that met no answer because the connection broke stays `sending` and goes out again, under the same id, after the next
 * `conversation:open`; the server answers a repeat with its first answer.
 *
 * What waits is `outgoing` of the state: whatever is to outlive the page has to restore that.
 */
import type { ClientEvent, Payload, Value } from '../protocol/events.ts';
import { limits } from '../protocol/limits.ts';
import type { Action } from './actions.ts';
import type { Connection } from './connection.ts';
import type { Fault, Outcome } from './fault.ts';
import type { ConversationState, Outgoing } from './state.ts';
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

/** Times that a request may meet silence before the user is asked. The first may be a link that died without a word. */
const silencesMax = 2;

type Deliver = (payloadOf: ConversationState, request: Outgoing) => Promise<Outcome<unknown>>;

/** One event for each kind; `settle` hears the answer before any later event. */
function createDeliver(
  request: Connection['request'],
  settle: (clientId: string, outcome: Outcome<unknown>, acked: () => Action) => void,
): Deliver {
  async function ask<E extends ClientEvent>(
    clientId: string,
    call: { readonly event: E; readonly payload: Payload<E> },
    toAction: (value: Value<E>) => Action,
  ): Promise<Outcome<unknown>> {
    const { event, payload } = call;
    const take = (outcome: Outcome<Value<E>>) =>
      settle(clientId, outcome, () => toAction((outcome as { value: Value<E> }).value));
    if (new TextEncoder().encode(JSON.stringify(payload)).length > frameTextBytesMax) {
      // The server would close the connection, again and again.
      take({ ok: false, error: tooLargeFault });
      return { ok: true, value: null };
    }
    return request(event, payload, take);
  }

  return ({ conversationId }, { kind, clientId, targetId, text }) => {
    const messageId = targetId ?? '';
    if (kind === 'regenerate') {
      const payload = { clientRequestId: clientId, messageId };
      return ask(clientId, { event: 'reply:regenerate', payload }, (value) => ({
        type: 'regenerate:acked',
        clientId,
        value,
      }));
    }
    const stored = (value: Value<'message:send'>): Action => ({ type: 'turn:acked', clientId, value });
    if (kind === 'edit') {
      const payload = { clientMessageId: clientId, messageId, text };
      return ask(clientId, { event: 'message:edit', payload }, stored);
    }
    const place = conversationId === null ? {} : { conversationId };
    const payload = { clientMessageId: clientId, text, ...place };
    return ask(clientId, { event: 'message:send', payload }, stored);
  };
}

export function createOutbox(
  store: Store<ConversationState, Action>,
  { request, renew }: Pick<Connection, 'request' | 'renew'>,
): Outbox {
  let isFlushing = false;
  const silences = new Map<string, number>();
  const deliver = createDeliver(request, (clientId, outcome, acked) => {
    if (outcome.ok) store.dispatch(acked());
    else if (!isToBeSentAgain(clientId, outcome.error)) {
      store.dispatch({ type: 'outgoing:failed', clientId, error: outcome.error });
    }
  });

  function next(): Outgoing | undefined {
    const { synced, outgoing } = store.getSnapshot();
    return synced ? outgoing.find(({ delivery }) => delivery === 'sending') : undefined;
  }

  function isToBeSentAgain(clientId: string, { code }: Fault): boolean {
    if (code !== 'timeout') return code === 'disconnected';
    const count = (silences.get(clientId) ?? 0) + 1;
    silences.set(clientId, count);
    if (count >= silencesMax) silences.delete(clientId);
    return count < silencesMax;
  }

  /** @returns whether to go on with the next request. */
  async function send(one: Outgoing): Promise<boolean> {
    const outcome = await deliver(store.getSnapshot(), one);
    if (outcome.ok) return true;
    if (outcome.error.code === 'timeout' && silences.has(one.clientId)) {
      renew();
      return false;
    }
    return outcome.error.code !== 'disconnected';
  }

  return {
    async flush() {
      if (isFlushing) return;
      isFlushing = true;
      // Ends: each turn takes one request out of `sending`, or finds the connection gone.
      for (let one = next(); one !== undefined; one = next()) {
        if (!(await send(one))) break;
      }
      isFlushing = false;
    },
  };
}
