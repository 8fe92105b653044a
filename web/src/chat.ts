/** The page's one conversation: the client SDK's snapshots as a signal, and what is derived from them. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { type AmityClient, createAmityClient } from '../../src/client/amity-client.ts';
import { guestToken, type TokenStorage } from '../../src/client/guest-token.ts';
import type { ChatMessage, ConversationState, RunningReply } from '../../src/client/state.ts';

export interface Chat {
  readonly client: AmityClient;
  readonly state: ReadonlySignal<ConversationState>;
  /** What is shown as a message: without replies that have no text yet or made way for a newer one. */
  readonly messages: ReadonlySignal<readonly ChatMessage[]>;
  /** The reply that a stop would end. */
  readonly running: ReadonlySignal<RunningReply | null>;
  /** The companion is at it and nothing of the reply can be read yet. */
  readonly isThinking: ReadonlySignal<boolean>;
}

/** Where storage is forbidden the guest lives as long as the page. */
const noStorage: TokenStorage = { getItem: () => null, setItem: () => undefined };

function pageStorage(): TokenStorage {
  try {
    return window.localStorage;
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
  const replies = Object.values(state.replies);
  return replies.find((reply) => reply.messageId !== null) ?? replies[0] ?? null;
}

function isLive(message: ChatMessage): boolean {
  return message.role === 'companion' && message.status === 'running' && message.text !== '';
}

export function openChat(): Chat {
  const storage = pageStorage();
  const client = createAmityClient({ auth: (refused) => guestToken('', storage, { refused }) });
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
  return {
    client,
    state,
    messages: computed(() => state.value.messages.filter(isShown)),
    running,
    isThinking: computed(
      () => (running.value !== null || state.value.companionTyping) && !state.value.messages.some(isLive),
    ),
  };
}
