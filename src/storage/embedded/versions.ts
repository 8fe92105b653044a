import type { Message } from '../../conversation/message.ts';
import { type NotAppended, siblingsMax } from '../../conversation/stores.ts';
import type { Rows } from './rows.ts';

/** One message more beside so many: why it cannot be, or null. */
export function refuseVersion(versions: number): NotAppended | null {
  if (versions < siblingsMax) return null;
  return { kind: 'unsupported', reason: `a message can have ${siblingsMax} versions at most` };
}

/** `siblings.count` of the older versions of a new message has changed: that gives each of them a new `rev`. */
export function changeOlderVersions({ conversations, messages }: Rows, newest: Message): readonly Message[] {
  if (newest.siblings.count === 1) return [];
  const isOlder = ({ messageId }: Message) => messageId !== newest.messageId;
  for (const { messageId, conversationId } of messages.versions(newest).filter(isOlder))
    messages.setRev(messageId, conversations.nextRev(conversationId));
  return messages.versions(newest).filter(isOlder);
}
