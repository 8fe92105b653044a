/** What waits to be sent outlives the app: it is kept where the app says, and taken up again under the same ids. */
import type { Action } from './actions.ts';
import type { KeyValueStorage } from './key-value-storage.ts';
import { toOutgoing } from './outgoing.ts';
import type { ConversationState, Outgoing } from './state.ts';
import type { Store } from './store.ts';

const storageKey = 'amity.outbox';

/** How it is shown is made of the rest. */
type KeptRequest = Omit<Outgoing, 'draft'>;

interface KeptOutbox {
  /** Whose it is; null when nobody had been let in yet. */
  readonly userId: string | null;
  readonly requests: readonly KeptRequest[];
}

/** Puts what was kept in line, and keeps what is in line from now on. */
export function keepOutbox(store: Store<ConversationState, Action>, storage: KeyValueStorage): void {
  const { userId, requests } = readKept(storage);
  if (requests.length > 0)
    store.dispatch({ type: 'outgoing:restored', userId, outgoing: requests.map(restore) });
  let kept = store.getSnapshot();
  store.subscribe(() => {
    const state = store.getSnapshot();
    if (state.outgoing === kept.outgoing && state.userId === kept.userId) return;
    kept = state;
    writeKept(storage, { userId: state.userId ?? state.outgoingOf, requests: state.outgoing.map(toKept) });
  });
}

function toKept({ draft: _, ...request }: Outgoing): KeptRequest {
  return request;
}

function restore({ delivery, error, at, ...asked }: KeptRequest): Outgoing {
  const outgoing = toOutgoing(asked, at);
  const draft = outgoing.draft === null ? null : { ...outgoing.draft, delivery, error };
  return { ...outgoing, delivery, error, draft };
}

/** Nothing where there is nothing, or something that nobody of ours has written. */
function readKept(storage: KeyValueStorage): KeptOutbox {
  try {
    const kept = JSON.parse(storage.getItem(storageKey) ?? 'null') as Partial<KeptOutbox> | null;
    const requests = Array.isArray(kept?.requests) ? kept.requests.filter(isRequest) : [];
    return { userId: typeof kept?.userId === 'string' ? kept.userId : null, requests };
  } catch {
    return { userId: null, requests: [] };
  }
}

function isRequest(value: unknown): value is KeptRequest {
  const { kind, clientId, targetId, text, delivery, at } = (value ?? {}) as Partial<KeptRequest>;
  return (
    (kind === 'send' || kind === 'edit' || kind === 'regenerate') &&
    (delivery === 'sending' || delivery === 'failed') &&
    (targetId === null || typeof targetId === 'string') &&
    [clientId, text, at].every((field) => typeof field === 'string')
  );
}

function writeKept(storage: KeyValueStorage, outbox: KeptOutbox): void {
  try {
    storage.setItem(storageKey, JSON.stringify(outbox));
  } catch {
    // Storage is full or forbidden: what waits lives as long as the page.
  }
}
