/** The page's one conversation: the client SDK's snapshots as a signal, and what is derived from them. */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { type AmityClient, createAmityClient } from '../../src/client/amity-client.ts';
import { guestToken } from '../../src/client/guest-token.ts';
import type { KeyValueStorage } from '../../src/client/key-value-storage.ts';
import { isCompanionWriting, shownReplies } from '../../src/client/shown.ts';
import type { ChatMessage, ConversationState, RunningReply } from '../../src/client/state.ts';
import { type Answers, inOrder, noCounts, type Step, toAnswers } from './answers.ts';
import { companionName } from './words.ts';

export interface Chat {
  readonly client: AmityClient;
  readonly state: ReadonlySignal<ConversationState>;
  /** What is shown as a message: without replies that have no text yet or made way for a newer one. */
  readonly messages: ReadonlySignal<readonly ChatMessage[]>;
  /** The reply that a stop would end. */
  readonly running: ReadonlySignal<RunningReply | null>;
  /** The companion is at it and nothing of the reply can be read yet. */
  readonly isThinking: ReadonlySignal<boolean>;
  /** The message of the user that is being written anew. */
  readonly editing: Signal<string | null>;
  /** What is written there, by messageId: kept until it is sent or given up, also while something else is shown. */
  readonly edits: Map<string, string>;
  /** What a listener is told. */
  readonly spoken: Signal<string>;
  /** Something that stays where it is on the screen when the messages change next. */
  readonly held: { current: Held | null };
  readonly composer: { current: HTMLTextAreaElement | null };
  answersOf(message: ChatMessage): Answers;
  /** Looks for other answers that are not known yet; a failure only means that none are offered. */
  findAlternatives(message: ChatMessage): void;
  /** Shows another answer, one after another. */
  step(message: ChatMessage, step: Step | null): Promise<void>;
}

export interface Held {
  /** CSS selector of what stays. */
  readonly selector: string;
  readonly top: number;
}

/** Where storage is forbidden the guest lives as long as the page. */
const noStorage: KeyValueStorage = { getItem: () => null, setItem: () => undefined };

function pageStorage(kind: 'localStorage' | 'sessionStorage'): KeyValueStorage {
  try {
    return window[kind];
  } catch {
    return noStorage;
  }
}

function isShown(message: ChatMessage): boolean {
  if (message.role === 'user' || message.text !== '') return true;
  return (
    message.status === 'failed' || (message.status === 'cancelled' && message.finishReason !== 'superseded')
  );
}

function firstRunning(state: ConversationState): RunningReply | null {
  const replies = shownReplies(state);
  return replies.find((reply) => reply.messageId !== null) ?? replies[0] ?? null;
}

/** Alternatives and how to step through them: the same for every reply. */
function createAnswers(
  client: AmityClient,
  state: ReadonlySignal<ConversationState>,
  spoken: Signal<string>,
): Pick<Chat, 'answersOf' | 'findAlternatives' | 'step'> {
  const counts = new Map<string, Map<number, number>>();
  /** The one that was read first stands first, also when it is not the best, and also after another is chosen. */
  const orders = new Map<string, readonly string[]>();
  const asked = new Set<string>();
  let isStepping = false;

  const answersIn = ({ alternatives }: ConversationState, message: ChatMessage): Answers => {
    const id = message.messageId ?? '';
    const ordered = inOrder(alternatives[id] ?? [], orders.get(id) ?? []);
    return toAnswers(message, ordered, counts.get(message.parentId ?? '') ?? noCounts);
  };

  async function find({ messageId, parentId, siblings }: ChatMessage): Promise<void> {
    if (messageId === null || asked.has(messageId)) return;
    if (client.getSnapshot().alternatives[messageId] !== undefined) return;
    asked.add(messageId);
    const outcome = await client.alternatives(messageId);
    asked.delete(messageId);
    if (!outcome.ok) return;
    const shownFirst = [...outcome.value].sort((a, b) => Number(b.shown) - Number(a.shown));
    orders.set(
      messageId,
      shownFirst.map(({ candidateId }) => candidateId),
    );
    const family = counts.get(parentId ?? '') ?? new Map<number, number>();
    counts.set(parentId ?? '', family.set(siblings.index, outcome.value.length));
  }

  async function step(message: ChatMessage, to: Step | null): Promise<void> {
    if (to === null || isStepping) return;
    isStepping = true;
    if (to.kind === 'version') await client.selectBranch(to.messageId);
    else await client.choose(to.messageId, to.candidateId);
    isStepping = false;
    const snapshot = client.getSnapshot();
    const shown = snapshot.messages.find(({ messageId }) => messageId === to.messageId);
    if (shown === undefined) return;
    const { position, total } = answersIn(snapshot, shown);
    const who = message.role === 'user' ? 'You' : companionName;
    spoken.value = `${position} of ${total}. ${who}: ${shown.text}`;
  }

  return {
    answersOf: (message) => answersIn(state.value, message),
    findAlternatives: (message) => void find(message),
    step,
  };
}

export function openChat(): Chat {
  const storage = pageStorage('localStorage');
  const client = createAmityClient({
    auth: (refused) => guestToken('', storage, { refused }),
    // Of each tab its own.
    outbox: pageStorage('sessionStorage'),
  });
  const state = signal(client.getSnapshot());
  // A fast model sends many words between two frames: they are drawn together, or drawing would fall behind them.
  let isFrameDue = false;
  client.subscribe(() => {
    if (isFrameDue) return;
    isFrameDue = true;
    requestAnimationFrame(() => {
      isFrameDue = false;
      state.value = client.getSnapshot();
    });
  });
  window.addEventListener('online', () => client.reconnect());
  const running = computed(() => firstRunning(state.value));
  const spoken = signal('');
  return {
    client,
    state,
    messages: computed(() => state.value.messages.filter(isShown)),
    running,
    isThinking: computed(() => isCompanionWriting(state.value)),
    editing: signal<string | null>(null),
    edits: new Map(),
    spoken,
    held: { current: null },
    composer: { current: null },
    ...createAnswers(client, state, spoken),
  };
}
