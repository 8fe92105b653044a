import type { Role } from '../conversation/message.ts';
import type { ConversationRecord, MessageRecord } from './record.ts';

/** One line of a past conversation. */
export interface ImportedLine {
  readonly role: Role;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** What it was called where it comes from. */
  readonly externalId: string | null;
}

/**
 * A conversation that was had elsewhere: one branch, in the order of its lines. Its replies have no generation, for none of ours wrote them.
 *
 * @param idOf an id for the thing at a place, always the same for the same conversation: then it is one, however often it is imported.
 */
export function toImportedConversation(
  userId: string,
  lines: readonly ImportedLine[],
  idOf: (prefix: 'c' | 'm' | 'g', place: number) => string,
): ConversationRecord {
  const times = lines.map(({ createdAt }) => createdAt);
  const [createdAt, updatedAt] = [Math.min(...times), Math.max(...times)];
  const messages = lines.map((line, place): MessageRecord => {
    const isReply = line.role === 'companion';
    return {
      ...line,
      messageId: idOf('m', place),
      seq: place + 1,
      rev: place + 1,
      status: 'done',
      parentId: place === 0 ? null : idOf('m', place - 1),
      clientMessageId: null,
      generationId: isReply ? idOf('g', place) : null,
      finishReason: isReply ? 'stop' : null,
      ...{ shownCandidateId: null, model: null, variant: null, reaction: null, generation: null },
    };
  });
  const last = messages.length;
  return {
    conversationId: idOf('c', 0),
    userId,
    ...{ title: null, personaId: null, isDefault: false },
    ...{ lastSeq: last, lastReadSeq: last, rev: last, selectedLeafId: idOf('m', last - 1) },
    ...{ createdAt, updatedAt, turnsDay: null, turnsToday: 0 },
    messages,
    ...{ deleted: [], requests: [], preferences: [], feedback: [] },
  };
}
