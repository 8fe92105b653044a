import type { Generation, StoredCandidate } from '../../conversation/message.ts';
import type { CandidateFields, MessageDocument } from './documents.ts';

/** The generation of a companion message; null for a message of the user. */
export function toGeneration(document: MessageDocument): Generation | null {
  const { generationId, generation, parentId } = document;
  if (generationId === undefined || generation === undefined || parentId === null) return null;
  const { log, logUnits: _, candidates, text, ...fields } = generation;
  return {
    generationId,
    conversationId: document.conversationId,
    userId: document.userId,
    messageId: document._id,
    replyTo: parentId,
    ...fields,
    text: generation.endedAt === null ? log.join('') : text,
    candidates: candidates.map(toCandidate),
  };
}

export function toCandidateFields({ features, ...candidate }: StoredCandidate): CandidateFields {
  return { ...candidate, features: features === null ? null : Object.entries(features) };
}

function toCandidate({ features, ...candidate }: CandidateFields): StoredCandidate {
  return { ...candidate, features: features === null ? null : Object.fromEntries(features) };
}
