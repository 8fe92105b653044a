import type { Conversation, Generation } from '../../src/conversation/message.ts';
import type { NewTurn } from '../../src/conversation/stores.ts';
import { asFirstVersion } from '../../src/storage/embedded/new-messages.ts';
import type { Store } from '../../src/storage/store.ts';

/** Answers as a store does to somebody who only sends, and keeps nothing but the `seq` of each conversation. */
export function forgetfulStore(): Store {
  const seqs = new Map<string, number>();
  const conversation = (userId: string, at: number): Conversation => ({
    conversationId: `c-${userId}`,
    userId,
    title: null,
    personaId: null,
    lastSeq: seqs.get(userId) ?? 0,
    lastReadSeq: 0,
    rev: seqs.get(userId) ?? 0,
    selectedLeafId: null,
    createdAt: at,
    updatedAt: at,
    preview: null,
  });
  const known = {
    defaultConversation: async ({ userId, at }: { userId: string; at: number }) => conversation(userId, at),
    conversation: async (userId: string) => conversation(userId, 0),
    async appendTurn(turn: NewTurn) {
      const seq = (seqs.get(turn.userId) ?? 0) + 1;
      seqs.set(turn.userId, seq + 1);
      const { conversationId, userId, generationId, userMessageId, companionMessageId, at } = turn;
      const user = asFirstVersion({
        messageId: userMessageId,
        conversationId,
        userId,
        seq,
        rev: seq,
        role: 'user',
        text: turn.text,
        status: 'done',
        at,
        parentId: null,
        clientMessageId: turn.clientId,
        generationId: null,
      });
      const companion = asFirstVersion({
        messageId: companionMessageId,
        conversationId,
        userId,
        seq: seq + 1,
        rev: seq + 1,
        role: 'companion',
        text: '',
        status: 'queued',
        at,
        parentId: userMessageId,
        clientMessageId: null,
        generationId,
      });
      const generation = {
        generationId,
        conversationId,
        userId,
        messageId: companionMessageId,
      } as Generation;
      return { kind: 'created', user, companion, generation, olderSiblings: [] };
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return known as unknown as Store;
}
