/** Messages with what their neighbours make of them: day separators and groups. Pure. */
import type { ChatMessage } from '../../src/client/state.ts';

export interface Row {
  readonly message: ChatMessage;
  /** The first message of a local day. */
  readonly startsDay: boolean;
  /** The same side spoke before, a moment ago: the two stand closer together. */
  readonly followsOwn: boolean;
  readonly isLast: boolean;
}

const groupGapMs = 5 * 60_000;

function localDay(iso: string): string {
  return new Date(iso).toDateString();
}

export function toRows(messages: readonly ChatMessage[]): Row[] {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const startsDay = before === undefined || localDay(before.createdAt) !== localDay(message.createdAt);
    const gapMs = before === undefined ? 0 : Date.parse(message.createdAt) - Date.parse(before.createdAt);
    return {
      message,
      startsDay,
      followsOwn: !startsDay && before?.role === message.role && gapMs < groupGapMs,
      isLast: index === messages.length - 1,
    };
  });
}

/** The user message that stands before a reply: what "Try again" sends once more. */
export function askedBefore(messages: readonly ChatMessage[], reply: ChatMessage): ChatMessage | null {
  const at = messages.indexOf(reply);
  return messages.slice(0, Math.max(at, 0)).findLast((message) => message.role === 'user') ?? null;
}
