import { mongo } from 'mongoose';
import type { Message } from '../../conversation/message.ts';
import type { NewReply, NewTurn } from '../../conversation/stores.ts';
import type { GenerationFields, MessageDocument } from './documents.ts';
import type { Fork } from './lines.ts';
import { findable } from './search-terms.ts';

interface Branch {
  readonly line: number;
  /** Null: it goes on with a line. */
  readonly fork: Fork | null;
}

export function newUserDocument(turn: NewTurn, message: Message, branch: Branch): MessageDocument {
  const { userId, clientId, bodyHash, generationId } = turn;
  return {
    ...toDocument(message, branch),
    request: { userId, clientId, bodyHash, generationId },
    ...findable(message),
  };
}

/** @param asked the request that made it; null where that is the one of the message which it answers. */
export function newReplyDocument(message: Message, branch: Branch, asked: NewReply | null): MessageDocument {
  const { generationId } = message;
  if (generationId === null) throw new Error('A reply has a generation.');
  return {
    ...toDocument(message, branch),
    generationId,
    generation: newGenerationFields(message.createdAt),
    unfinished: new mongo.ObjectId(),
    ...(asked !== null && {
      request: { userId: message.userId, clientId: asked.clientId, bodyHash: asked.bodyHash, generationId },
    }),
  };
}

function toDocument(message: Message, { line, fork }: Branch): MessageDocument {
  const { messageId, siblings: _, generationId: __, ...fields } = message;
  return { _id: messageId, ...fields, line, ...(fork !== null && { fork }) };
}

const newGenerationFields = (createdAt: number): GenerationFields => ({
  status: 'queued',
  finishReason: null,
  text: '',
  log: [],
  logUnits: 0,
  attempts: 0,
  createdAt,
  startedAt: null,
  endedAt: null,
  setup: null,
  candidates: [],
  shownCandidateId: null,
  race: null,
});
