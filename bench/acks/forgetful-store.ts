import type { Conversation } from '../../src/conversation/message.ts';
import type { NewTurn } from '../../src/conversation/stores.ts';
import { asCreated } from '../../src/storage/new-turn.ts';
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
      return asCreated(turn, { parentId: null, seq, rev: seq });
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return known as unknown as Store;
}
