/** Messages with what their neighbours make of them: day separators and groups. Pure. */
import type { ChatMessage } from '../../src/client/state.ts';

export interface Row {
  /**
   * The same for all versions of a message, so that the focus stays on the arrows that step through them; one that is not
   * stored or has no other version goes by its own key.
   */
  readonly key: string;
  readonly message: ChatMessage;
  /** The first message of a local day. */
  readonly startsDay: boolean;
  /** The same side spoke before, a moment ago: the two stand closer together. */
  readonly followsOwn: boolean;
  readonly isLast: boolean;
}

const groupGapMs = 5 * 60_000;

function rowKey({ key, role, parentId, siblings, seq }: ChatMessage): string {
  if (role === 'companion') return `reply ${parentId ?? key}`;
  return siblings.count > 1 && seq !== null ? `turn ${parentId ?? 'first'}` : key;
}

function localDay(iso: string): string {
  return new Date(iso).toDateString();
}

export function toRows(messages: readonly ChatMessage[]): Row[] {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const startsDay = before === undefined || localDay(before.createdAt) !== localDay(message.createdAt);
    const gapMs = before === undefined ? 0 : Date.parse(message.createdAt) - Date.parse(before.createdAt);
    return {
      key: rowKey(message),
      message,
      startsDay,
      followsOwn: !startsDay && before?.role === message.role && gapMs < groupGapMs,
      isLast: index === messages.length - 1,
    };
  });
}
