import type { ClientEvent, Payload } from '../protocol/events.ts';
import type { Action, ServerAction } from './actions.ts';
import { createClientId } from './client-id.ts';
import { type Auth, type Connection, openConnection } from './connection.ts';
import type { Outcome } from './fault.ts';
import { hasId, oldestSeq } from './messages.ts';
import { createOutbox } from './outbox.ts';
import { reduce } from './reduce.ts';
import { createRepair } from './repair.ts';
import { type ConversationFault, type ConversationState, initialState, type ReactionKind } from './state.ts';
import { createStore } from './store.ts';

export interface AmityClientOptions {
  /** Origin of the server, such as `https://chat.example.org`; in a browser the page's own when absent. */
  readonly url?: string;
  readonly auth: Auth;
  /** A label of this device; sockets may share it. */
  readonly deviceId?: string;
  /** How long an event may stay without an answer. */
  readonly ackTimeoutMs?: number;
  readonly reconnectDelayMs?: number;
}

/**
 * The user's default conversation, live. Nothing here throws or rejects: what went wrong is in the snapshot, at the
 * message it concerns or as `fault`.
 */
export interface AmityClient {
  getSnapshot(): ConversationState;
  /** @returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void;
  /** Shows the text at once and sends it when it can be sent. @returns its clientMessageId. */
  send(text: string): string;
  /** Sends a failed message again, under the same id. */
  retry(clientMessageId: string): void;
  /** The text so far stays. */
  stop(generationId: string): Promise<void>;
  /** One reaction per message: a new kind replaces the old one. */
  react(messageId: string, kind: ReactionKind): Promise<void>;
  clearReaction(messageId: string): Promise<void>;
  /** Adds the page before the oldest message; nothing while one is on its way or none is left. */
  loadOlder(): Promise<void>;
  /** Reads the conversation again after an `open` fault. */
  reload(): Promise<void>;
  clearFault(): void;
  /** Tries to connect now: the user asked, or the device came back online. */
  reconnect(): void;
  close(): void;
}

type Store = ReturnType<typeof createStore<ConversationState, Action>>;

/** The companion's typing ends by itself when its renewal stays away. */
function createTypingExpiry(store: Store): (action: ServerAction) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (action) => {
    if (action.type !== 'typing:update' || action.payload.who !== 'companion') return;
    clearTimeout(timer);
    if (!action.payload.typing) return;
    timer = setTimeout(() => store.dispatch({ type: 'typing:expired' }), action.payload.ttlMs);
  };
}

/** What the user does beside sending; each outcome is in the snapshot. */
function createActs(
  store: Store,
  connection: Connection,
): Pick<AmityClient, 'stop' | 'react' | 'clearReaction' | 'loadOlder'> {
  async function ask<E extends ClientEvent>(
    about: ConversationFault['about'],
    event: E,
    payload: Payload<E>,
  ): Promise<Outcome<unknown>> {
    const outcome = await connection.request(event, payload);
    if (outcome.ok) store.dispatch({ type: 'fault:cleared', about });
    else store.dispatch({ type: 'faulted', about, error: outcome.error });
    return outcome;
  }

  /** The reaction shows at once; a refusal puts the old one back. */
  async function setReaction(messageId: string, kind: ReactionKind | null): Promise<void> {
    const message = store.getSnapshot().messages.find(hasId(messageId));
    if (message === undefined) return;
    const reaction = kind === null ? null : { kind, at: new Date().toISOString() };
    store.dispatch({ type: 'reaction:patched', messageId, reaction });
    const outcome = await (kind === null
      ? ask('reaction', 'reaction:clear', { messageId })
      : ask('reaction', 'reaction:set', { messageId, kind }));
    if (!outcome.ok) store.dispatch({ type: 'reaction:patched', messageId, reaction: message.reaction });
  }

  return {
    async stop(generationId) {
      await ask('stop', 'generation:cancel', { generationId });
    },
    react: setReaction,
    clearReaction: (messageId) => setReaction(messageId, null),
    async loadOlder() {
      const { conversationId, hasOlder, loadingOlder, messages } = store.getSnapshot();
      const beforeSeq = oldestSeq(messages);
      if (conversationId === null || beforeSeq === null || !hasOlder || loadingOlder) return;
      store.dispatch({ type: 'older:asked' });
      const outcome = await connection.request('history:page', { conversationId, beforeSeq });
      if (outcome.ok) store.dispatch({ type: 'older:loaded', value: outcome.value });
      else store.dispatch({ type: 'faulted', about: 'history', error: outcome.error });
    },
  };
}

/** Connects at once; `close()` ends it. */
export function createAmityClient(options: AmityClientOptions): AmityClient {
  const store: Store = createStore(initialState, reduce);
  const expireTyping = createTypingExpiry(store);
  const connection = openConnection({
    ...options,
    ackTimeoutMs: options.ackTimeoutMs ?? 10_000,
    reconnectDelayMs: options.reconnectDelayMs ?? 500,
    onState: (state) => store.dispatch({ type: 'connection', connection: state }),
    onEvent(action) {
      store.dispatch(action);
      expireTyping(action);
      if (action.type === 'session:ready') void open();
      if (action.type === 'reply:delta') repair.mendHoles();
    },
  });
  const repair = createRepair(store, connection.request);
  const outbox = createOutbox(store, connection);

  async function open(): Promise<void> {
    await repair.open();
    await outbox.flush();
  }

  const acts = createActs(store, connection);

  return {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    send(text) {
      const clientMessageId = createClientId();
      store.dispatch({ type: 'send:queued', clientMessageId, text, at: new Date().toISOString() });
      void outbox.flush();
      return clientMessageId;
    },
    retry(clientMessageId) {
      store.dispatch({ type: 'send:retried', clientMessageId });
      void outbox.flush();
    },
    ...acts,
    reload: open,
    clearFault: () => store.dispatch({ type: 'fault:cleared' }),
    reconnect: connection.reconnect,
    close: connection.close,
  };
}
