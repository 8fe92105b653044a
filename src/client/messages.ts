/** Pure changes of a list of messages. */
import type { WireMessage } from '../protocol/events.ts';
import type { ChatMessage, Siblings } from './state.ts';

export type Messages = readonly ChatMessage[];

export const onlyVersion: Siblings = { index: 0, count: 1, previousId: null, nextId: null };

export function isUnfinished({ status }: Pick<ChatMessage, 'status'>): boolean {
  return status === 'queued' || status === 'running';
}

export const keyOf = (wire: WireMessage): string => wire.clientMessageId ?? wire.messageId;

/** @param known what is held of this message, if anything. */
export function toChatMessage(wire: WireMessage, known: ChatMessage | undefined): ChatMessage {
  // The store holds a running reply's text late or not at all; what was heard live is never taken back.
  const text =
    isUnfinished(wire) && known !== undefined && known.text.length > wire.text.length
      ? known.text
      : wire.text;
  const { index, count, previousId = null, nextId = null } = wire.siblings;
  return {
    key: keyOf(wire),
    messageId: wire.messageId,
    seq: wire.seq,
    rev: wire.rev,
    parentId: wire.parentId,
    siblings: { index, count, previousId, nextId },
    role: wire.role,
    text,
    createdAt: wire.createdAt,
    delivery: 'sent',
    status: wire.status,
    finishReason: wire.finishReason ?? null,
    generationId: wire.generationId ?? null,
    reaction: wire.reaction,
    error: wire.status === 'failed' ? (known?.error ?? null) : null,
    refused: null,
  };
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
