import type { Message } from '../../conversation/message.ts';
import type { ReactionStore } from '../../reactions/stores.ts';
import type { Connection } from './connection.ts';
import type { Rows } from './rows.ts';
import { toStoredText } from './stored-text.ts';

type Reacting = Parameters<ReactionStore['setReaction']>[0];

/** Setting and clearing reactions; to be called inside a transaction. */
export function prepareReactionChanges(connection: Connection, { conversations, messages }: Rows) {
  const upsert = connection.prepare(
    `INSERT INTO reactions (user_id, message_id, kind, comment, at) VALUES (:userId, :messageId, :kind, :comment, :at)
     ON CONFLICT DO UPDATE SET kind = excluded.kind, comment = excluded.comment, at = excluded.at`,
  );
  const remove = connection.prepare('DELETE FROM reactions WHERE message_id = ? AND user_id = ?');

  function changed({ messageId, conversationId }: Message): Message | null {
    messages.setRev(messageId, conversations.nextRev(conversationId));
    return messages.find(messageId);
  }

  return {
    set({ userId, messageId, kind, comment, at }: Reacting): Message | 'unsupported' | null {
      const message = messages.find(messageId);
      if (message === null || message.userId !== userId) return null;
      if (message.role === 'user' || message.text === '') return 'unsupported';
      if (message.reaction?.kind === kind && message.reaction.comment === comment) return message;
      const storedComment = comment === null ? null : toStoredText(comment);
      upsert.run({ userId, messageId, kind, comment: storedComment, at });
      return changed(message);
    },

    clear({ userId, messageId }: { userId: string; messageId: string }): Message | null {
      const message = messages.find(messageId);
      if (message === null || message.userId !== userId) return null;
      return remove.run([messageId, userId]) === 0 ? message : changed(message);
    },
  };
}
