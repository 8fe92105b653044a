import type { mongo } from 'mongoose';
import type { Message, StoredCandidate } from '../../conversation/message.ts';
import type { GenerationEnd, GenerationStore } from '../../conversation/stores.ts';
import type { Planned } from './changes.ts';
import type { Context } from './context.ts';
import type { ConversationDocument, GenerationFields, MessageDocument } from './documents.ts';
import { toCandidateFields, toGeneration } from './generation-fields.ts';
import type { Models } from './models.ts';
import { findTrace, putTrace } from './prompt-traces.ts';
import { findable } from './search-terms.ts';
import { toOneMessage } from './to-messages.ts';

type Start = Parameters<GenerationStore['startGeneration']>[0];
type Piece = Parameters<GenerationStore['appendText']>[0];
type Reply = MessageDocument & { readonly generation: GenerationFields };

const unfinished = { unfinished: { $exists: true } } as const;

export function generationMethods(context: Context): GenerationStore {
  const { models, changes } = context;
  return {
    async generation(userId, generationId) {
      const reply = await findReply(models, generationId);
      return reply?.userId === userId ? toGeneration(reply) : null;
    },
    async unfinishedGenerations() {
      // What a crash has left to do may be to insert such a message, or to end it. No index knows these: one more would cost each turn two
      // writes, and this is asked when a server starts.
      const left = await models.conversations.find({ pending: { $ne: null } }, { _id: 1 }).lean();
      for (const { _id } of left) await changes.findAny(_id);
      const replies = await models.messages
        .find(unfinished)
        .hint('unfinished')
        .sort({ unfinished: 1 })
        .lean<MessageDocument[]>();
      return replies.map(toGeneration).filter((generation) => generation !== null);
    },
    async startGeneration(start) {
      const reply = await findReply(models, start.generationId);
      if (reply === null) return false;
      const isStarted = await changes.change(
        reply.conversationId,
        async () => null,
        (conversation) => planStart(models, conversation, start),
      );
      return isStarted ?? false;
    },
    appendText: (piece) => appendText(models, piece),
    replaceCandidate: (generationId, candidate) => replaceCandidate(models, generationId, candidate),
    async endGeneration(end) {
      const reply = await findReply(models, end.generationId);
      if (reply === null) return null;
      return await changes.change(
        reply.conversationId,
        async () => null,
        (conversation) => planEnd(context, conversation, end),
      );
    },
    async promptTrace(userId, generationId, at) {
      const reply = await findReply(models, generationId);
      return reply?.userId === userId ? findTrace(models, generationId, at) : null;
    },
  };
}

async function findReply({ messages }: Models, generationId: string): Promise<Reply | null> {
  // A deleted one is under this id no more.
  return await messages.findOne({ generationId }, { terms: 0 }).lean<Reply>();
}

const inOrder = (candidates: readonly StoredCandidate[]) =>
  [...candidates].sort((one, other) => one.index - other.index);

/** A later start keeps the time of the first: that is how long the user has waited. */
async function planStart(
  models: Models,
  conversation: ConversationDocument,
  { generationId, setup, trace, at }: Start,
): Promise<Planned<boolean>> {
  const reply = await findReply(models, generationId);
  if (reply === null || reply.generation.endedAt !== null) return { unchanged: false };
  const { attempts, startedAt } = reply.generation;
  const rev = conversation.rev + 1;
  const set = {
    status: 'running',
    model: setup.model,
    variant: setup.variant,
    'generation.status': 'running',
    'generation.attempts': attempts + 1,
    'generation.startedAt': startedAt ?? at,
    'generation.setup': setup,
  };
  const { userId, conversationId } = reply;
  await putTrace(models, { _id: generationId, userId, conversationId, createdAt: at, trace });
  return {
    change: {
      fields: { rev },
      updates: [{ seq: reply.seq, was: reply.rev, rev, set: Object.entries(set), unset: [] }],
      answer: () => true,
    },
  };
}

async function planEnd(
  { models }: Context,
  conversation: ConversationDocument,
  end: GenerationEnd,
): Promise<Planned<Message | null>> {
  const reply = await findReply(models, end.generationId);
  if (reply === null) return { unchanged: null };
  if (reply.generation.endedAt !== null) return { unchanged: await toOneMessage(models, reply) };
  const { status, finishReason, text, shownCandidateId, race, at } = end;
  const rev = conversation.rev + 1;
  const ended = { status, finishReason, text, shownCandidateId };
  const generation: GenerationFields = {
    ...reply.generation,
    ...ended,
    ...{
      race,
      endedAt: at,
      candidates: inOrder(end.candidates).map(toCandidateFields),
      log: [],
      logUnits: 0,
    },
  };
  const set = { ...ended, generation, ...findable({ ...reply, text }) };
  return {
    change: {
      fields: { rev, updatedAt: Math.max(conversation.updatedAt, at) },
      updates: [{ seq: reply.seq, was: reply.rev, rev, set: Object.entries(set), unset: ['unfinished'] }],
      answer: () => toOneMessage(models, { ...reply, ...ended, rev }),
    },
  };
}

async function appendText(models: Models, { generationId, offset, text }: Piece): Promise<boolean> {
  if (!text.isWellFormed()) throw new Error(`A piece of generation ${generationId} splits a surrogate pair.`);
  const appended = await models.messages.updateOne({ generationId }, appendIfNext(offset, text), {
    updatePipeline: true,
  });
  if (appended.modifiedCount > 0) return true;
  const reply = await findReply(models, generationId);
  if (reply === null || reply.generation.endedAt !== null) return false;
  const { log, logUnits } = reply.generation;
  // It was written, and the answer got lost.
  if (logUnits === offset + text.length && log.at(-1) === text) return true;
  throw new Error(`The log of generation ${generationId} ends at ${logUnits}, not at ${offset}.`);
}

/** The condition is in the update, since a server may go by an index only if that has all fields of the query. */
function appendIfNext(offset: number, text: string): mongo.Document[] {
  const log = { $concatArrays: ['$generation.log', [{ $literal: text }]] };
  const appended = { $mergeObjects: ['$generation', { log, logUnits: offset + text.length }] };
  const isNext = {
    $and: [{ $eq: ['$generation.endedAt', null] }, { $eq: ['$generation.logUnits', offset] }],
  };
  return [{ $set: { generation: { $cond: [isNext, appended, '$generation'] } } }];
}

async function replaceCandidate(
  models: Models,
  generationId: string,
  candidate: StoredCandidate,
): Promise<boolean> {
  const { candidateId } = candidate;
  const reply = await findReply(models, generationId);
  const place = reply?.generation.candidates.findIndex((one) => one.candidateId === candidateId) ?? -1;
  if (reply === null || place < 0) return false;
  const replaced = await models.messages.updateOne(
    { _id: reply._id, [`generation.candidates.${place}.candidateId`]: candidateId },
    { $set: { [`generation.candidates.${place}`]: toCandidateFields(candidate) } },
  );
  return replaced.matchedCount > 0;
}
