/** What the user does beside sending; each outcome is in the snapshot, and nothing rejects. */
import type { ClientEvent, Payload, Value } from '../protocol/events.ts';
import type { Action } from './actions.ts';
import type { Connection } from './connection.ts';
import type { Outcome } from './fault.ts';
import { hasId, oldestSeq } from './messages.ts';
import type { Alternative, ConversationFault, ConversationState, ReactionKind } from './state.ts';
import type { Store } from './store.ts';

export interface Acts {
  /** The text so far stays. */
  stop(generationId: string): Promise<void>;
  /** One reaction per message: a new kind replaces the old one. @returns whether the server took it */
  react(messageId: string, kind: ReactionKind): Promise<boolean>;
  clearReaction(messageId: string): Promise<boolean>;
  /**
   * Asks for the finished texts of a reply that has ended, the shown one among them; they are in the snapshot too. The
   * answer may take as long as the last of them is being written; why it stays away is no fault of the conversation.
   */
  alternatives(messageId: string): Promise<Outcome<readonly Alternative[]>>;
  /** Shows another text in the place of a reply; its reaction is taken back. */
  choose(messageId: string, candidateId: string): Promise<void>;
  /** Shows the branch through a message, such as another version that `siblings` names. */
  selectBranch(messageId: string): Promise<void>;
  /** Adds the page before the oldest message; nothing while one is on its way or none is left. */
  loadOlder(): Promise<void>;
}

type Dispatching = Store<ConversationState, Action>;
type About = ConversationFault['about'];

/** A request whose failure is told as a fault about `about`. */
function createAsk(store: Dispatching, { request }: Pick<Connection, 'request'>) {
  return async <E extends ClientEvent>(
    about: About,
    call: { readonly event: E; readonly payload: Payload<E> },
    toAction?: (value: Value<E>) => Action,
  ): Promise<Outcome<Value<E>>> => {
    const outcome = await request(call.event, call.payload, (answer) => {
      if (answer.ok && toAction !== undefined) store.dispatch(toAction(answer.value));
    });
    if (outcome.ok) store.dispatch({ type: 'fault:cleared', about });
    else store.dispatch({ type: 'faulted', about, error: outcome.error });
    return outcome;
  };
}

type Ask = ReturnType<typeof createAsk>;

/** The reaction shows at once; a refusal puts the old one back. */
async function setReaction(
  { store, ask }: { readonly store: Dispatching; readonly ask: Ask },
  messageId: string,
  kind: ReactionKind | null,
): Promise<boolean> {
  const message = store.getSnapshot().branch.find(hasId(messageId));
  if (message === undefined) return false;
  const reaction = kind === null ? null : { kind, at: new Date().toISOString() };
  store.dispatch({ type: 'reaction:patched', messageId, reaction });
  const outcome = await (kind === null
    ? ask('reaction', { event: 'reaction:clear', payload: { messageId } })
    : ask('reaction', { event: 'reaction:set', payload: { messageId, kind } }));
  if (!outcome.ok) store.dispatch({ type: 'reaction:patched', messageId, reaction: message.reaction });
  return outcome.ok;
}

/** A known text shows at once; a refusal puts the old one back. */
async function choose(
  { store, ask }: { readonly store: Dispatching; readonly ask: Ask },
  messageId: string,
  candidateId: string,
): Promise<void> {
  const { branch, alternatives } = store.getSnapshot();
  const message = branch.find(hasId(messageId));
  const chosen = alternatives[messageId]?.find((one) => one.candidateId === candidateId);
  if (message === undefined || chosen?.shown === true) return;
  const { text, reaction } = message;
  const show = (shown: { text: string; reaction: typeof reaction }) =>
    store.dispatch({ type: 'choice:patched', messageId, shown });
  if (chosen !== undefined) show({ text: chosen.text, reaction: null });
  const outcome = await ask(
    'choose',
    { event: 'reply:choose', payload: { messageId, candidateId } },
    (value) => ({ type: 'message:updated', payload: value }),
  );
  if (!outcome.ok && chosen !== undefined) show({ text, reaction });
}

export function createActs(
  store: Dispatching,
  connection: Pick<Connection, 'request'>,
  mendHoles: () => void,
): Acts {
  const ask = createAsk(store, connection);
  return {
    async stop(generationId) {
      await ask('stop', { event: 'generation:cancel', payload: { generationId } });
    },
    react: (messageId, kind) => setReaction({ store, ask }, messageId, kind),
    clearReaction: (messageId) => setReaction({ store, ask }, messageId, null),
    async alternatives(messageId) {
      const outcome = await connection.request('reply:alternatives', { messageId });
      if (!outcome.ok) return outcome;
      const { alternatives } = outcome.value;
      store.dispatch({ type: 'alternatives:loaded', messageId, alternatives });
      return { ok: true, value: alternatives };
    },
    choose: (messageId, candidateId) => choose({ store, ask }, messageId, candidateId),
    async selectBranch(messageId) {
      await ask('branch', { event: 'branch:select', payload: { messageId } }, (value) => ({
        type: 'branch:selected',
        value,
      }));
      mendHoles();
    },
    async loadOlder() {
      const { conversationId, hasOlder, loadingOlder, branch } = store.getSnapshot();
      const beforeSeq = oldestSeq(branch);
      if (conversationId === null || beforeSeq === null || !hasOlder || loadingOlder) return;
      store.dispatch({ type: 'older:asked' });
      const payload = { conversationId, beforeSeq };
      await ask('history', { event: 'history:page', payload }, (value) => ({ type: 'older:loaded', value }));
    },
  };
}
