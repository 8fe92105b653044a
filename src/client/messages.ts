/** Pure changes of the list of messages. */
import type { WireMessage } from '../protocol/events.ts';
import type { ChatMessage } from './state.ts';

type Messages = readonly ChatMessage[];

function toChatMessage(wire: WireMessage, known: ChatMessage | undefined): ChatMessage {
  const isRunning = wire.status === 'queued' || wire.status === 'running';
  // The store holds a running reply's text late or not at all; what was heard live is never taken back.
  const text =
    isRunning && known !== undefined && known.text.length > wire.text.length ? known.text : wire.text;
  return {
    key: wire.clientMessageId ?? wire.messageId,
    messageId: wire.messageId,
    seq: wire.seq,
    rev: wire.rev,
    role: wire.role,
    text,
    createdAt: wire.createdAt,
    delivery: 'sent',
    status: wire.status,
    finishReason: wire.finishReason ?? null,
    generationId: wire.generationId ?? null,
    reaction: wire.reaction,
    error: wire.status === 'failed' ? (known?.error ?? null) : null,
  };
}

function bySeq(a: ChatMessage, b: ChatMessage): number {
  return (a.seq ?? Number.POSITIVE_INFINITY) - (b.seq ?? Number.POSITIVE_INFINITY) || 0;
}

/** Takes stored messages in, each at its `seq`; one that is known in the same or a later `rev` stays as it is. */
export function upsertStored(messages: Messages, stored: readonly WireMessage[]): Messages {
  if (stored.length === 0) return messages;
  const next = new Map(messages.map((message) => [message.key, message]));
  let changed = false;
  for (const wire of stored) {
    const key = wire.clientMessageId ?? wire.messageId;
    const known = next.get(key);
    if (known !== undefined && known.rev >= wire.rev) continue;
    next.set(key, toChatMessage(wire, known));
    changed = true;
  }
  return changed ? [...next.values()].sort(bySeq) : messages;
}

/** Puts in a message that this client made up itself, until the server's own arrives. */
export function insertDraft(messages: Messages, draft: ChatMessage): Messages {
  return [...messages, draft].sort(bySeq);
}

export function patchMessage(
  messages: Messages,
  isIt: (message: ChatMessage) => boolean,
  patch: Partial<ChatMessage>,
): Messages {
  const at = messages.findLastIndex(isIt);
  const known = messages[at];
  return known === undefined ? messages : messages.with(at, { ...known, ...patch });
}

export const hasId =
  (messageId: string) =>
  (message: ChatMessage): boolean =>
    message.messageId === messageId;

/** `seq` of the oldest stored message; null when there is none. */
export function oldestSeq(messages: Messages): number | null {
  return messages[0]?.seq ?? null;
}
