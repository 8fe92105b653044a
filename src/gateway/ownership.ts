/** Finds what a client names, if it belongs to the user; the answer for foreign and for missing things is the same. */
import type { Conversation, Generation, Message } from '../conversation/message.ts';
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

export function missing(what: string): never {
  throw new CodedError('not_found', `There is no such ${what}.`);
}
