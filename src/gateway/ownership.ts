/** Finds what a client names, if it belongs to the user; the answer for foreign and for missing things is the same. */
import type { Conversation, Generation, Message } from '../conversation/message.ts';
import type { Reply } from '../conversation/reply.ts';
import { CodedError } from '../std/coded-error.ts';
import type { Call } from './handler.ts';

export async function findConversation(call: Call, conversationId: string): Promise<Conversation> {
  return (await call.store.conversation(call.session.userId, conversationId)) ?? missing('conversation');
}

export async function findMessage(call: Call, messageId: string): Promise<Message> {
  return (await call.store.message(call.session.userId, messageId)) ?? missing('message');
}

export async function findGeneration(call: Call, generationId: string): Promise<Generation> {
  return (await call.store.generation(call.session.userId, generationId)) ?? missing('generation');
}

/**
 * A generation, and its reply while this server works on it. One that ends between the two reads is read again: else it would seem to
 * run, and nobody would tell of its end.
 */
export async function findGenerationAndReply(
  call: Call,
  generationId: string,
): Promise<{ readonly generation: Generation; readonly reply: Reply | undefined }> {
  const generation = await findGeneration(call, generationId);
  const reply = call.replies.find(generationId);
  if (reply !== undefined || generation.endedAt !== null) return { generation, reply };
  return { generation: await findGeneration(call, generationId), reply: call.replies.find(generationId) };
}

export function missing(what: string): never {
  throw new CodedError('not_found', `There is no such ${what}.`);
}
