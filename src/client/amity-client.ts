import type { Action, ServerAction } from './actions.ts';
import { type Acts, createActs } from './acts.ts';
import { createClientId } from './client-id.ts';
import { type Auth, openConnection } from './connection.ts';
import { keepOutbox } from './kept-outbox.ts';
import type { KeyValueStorage } from './key-value-storage.ts';
import { createOpening } from './opening.ts';
import { createOutbox } from './outbox.ts';
import type { Asked } from './outgoing.ts';
import { reduce } from './reduce.ts';
import { createRepair } from './repair.ts';
import { type ConversationState, initialState } from './state.ts';
import { createStore } from './store.ts';
import { streamReply } from './stream.ts';

export interface AmityClientOptions {
  /** Origin of the server, such as `https://chat.example.org`; in a browser the page's own when absent. */
  readonly url?: string;
  readonly auth: Auth;
  /** A label of this device; sockets may share it. */
  readonly deviceId?: string;
  /** How long an event may stay without an answer. */
  readonly ackTimeoutMs?: number;
  readonly reconnectDelayMs?: number;
  /** Where what waits to be sent is kept, so that it outlives the app; one client at a time. Without it, it lives as long as the client. */
  readonly outbox?: KeyValueStorage;
}

/**
 * The user's default conversation, live. Nothing here but `stream` throws or rejects: what went wrong is in the snapshot, at the
 * message it concerns or as `fault`.
 */
export interface AmityClient extends Acts {
  getSnapshot(): ConversationState;
  /** @returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void;
  /** Shows the text at once and sends it when it can be sent. @returns its clientMessageId. */
  send(text: string): string;
  /**
   * The text of the reply to a message, piece by piece, across lost connections; ends with the reply.
   *
   * @param clientId what `send` or `edit` gave back
   * @throws AmityError when the message could not be sent, the reply failed, or the client was closed
   */
  stream(clientId: string): AsyncIterable<string>;
  /**
   * Writes a message of the user anew, with a reply of its own: a version beside the old one, which stays. It shows at
   * once, in the place of the old one and of all that followed it.
   *
   * @returns its clientMessageId.
   */
  edit(messageId: string, text: string): string;
  /** Has a reply written once more: a version beside the old one, which stays. @returns its clientRequestId. */
  regenerate(messageId: string): string;
  /** Sends again what failed, under the same id: a message, or what stands as `refused` at one. */
  retry(clientId: string): void;
  /** Forgets what failed. */
  discard(clientId: string): void;
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

type Requests = Pick<AmityClient, 'send' | 'edit' | 'regenerate' | 'retry' | 'discard'>;

/** What goes out exactly once, however often it has to be sent. */
function createRequests(store: Store, flush: () => Promise<void>): Requests {
  function retry(clientId: string): void {
    store.dispatch({ type: 'outgoing:retried', clientId });
    void flush();
  }

  /** The same once more after a failure is a retry: the first may have arrived, and only its answer got lost. */
  function ask(request: Omit<Asked, 'clientId'>): string {
    const { kind, targetId, text } = request;
    const failed = store
      .getSnapshot()
      .outgoing.find(
        (one) =>
          one.delivery === 'failed' &&
          one.kind === kind &&
          one.targetId === targetId &&
          one.text === text &&
          kind !== 'send',
      );
    if (failed !== undefined) {
      retry(failed.clientId);
      return failed.clientId;
    }
    const clientId = createClientId();
    const at = new Date().toISOString();
    store.dispatch({ type: 'outgoing:queued', asked: { ...request, clientId }, at });
    void flush();
    return clientId;
  }

  return {
    send: (text) => ask({ kind: 'send', targetId: null, text }),
    edit: (messageId, text) => ask({ kind: 'edit', targetId: messageId, text }),
    regenerate: (messageId) => ask({ kind: 'regenerate', targetId: messageId, text: '' }),
    retry,
    discard: (clientId) => store.dispatch({ type: 'outgoing:discarded', clientId }),
  };
}

/** Also when something was missed, or the conversation was deleted on another device: the next one is made when it is opened. */
function isToBeOpened(action: ServerAction, { conversationId, connection }: ConversationState): boolean {
  if (action.type === 'session:ready') return true;
  if (action.type === 'conversation:gap') return action.payload.conversationId === conversationId;
  return conversationId === null && connection.state === 'online';
}

/** Connects at once; `close()` ends it. */
export function createAmityClient(options: AmityClientOptions): AmityClient {
  const store: Store = createStore(initialState, reduce);
  if (options.outbox !== undefined) keepOutbox(store, options.outbox);
  const expireTyping = createTypingExpiry(store);
  const reconnectDelayMs = options.reconnectDelayMs ?? 500;
  const connection = openConnection({
    ...options,
    ackTimeoutMs: options.ackTimeoutMs ?? 10_000,
    reconnectDelayMs,
    onState: (state) => store.dispatch({ type: 'connection', connection: state }),
    onEvent(action) {
      store.dispatch(action);
      expireTyping(action);
      if (isToBeOpened(action, store.getSnapshot())) void opening.open();
      if (action.type === 'reply:delta') repair.mendHoles();
      if (action.type === 'conversation:updated' || action.type === 'message:created') repair.noteSelection();
      if (action.type !== 'reply:delta') void repair.follow();
    },
  });
  const repair = createRepair(store, connection.request);
  const outbox = createOutbox(store, connection);
  const opening = createOpening(repair, outbox, reconnectDelayMs);

  return {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    ...createRequests(store, outbox.flush),
    stream: (clientId) => streamReply(store, clientId),
    ...createActs(store, connection, repair.mendHoles),
    reload: opening.open,
    clearFault: () => store.dispatch({ type: 'fault:cleared' }),
    reconnect: connection.reconnect,
    close() {
      opening.close();
      connection.close();
    },
  };
}
