import { type Model, mongo } from 'mongoose';
import type { ConversationRecord, GenerationRecord, MessageRecord } from '../../records/record.ts';
import type { RecordStore } from '../../records/stores.ts';
import { removeBelongings } from './belongings.ts';
import type { Context } from './context.ts';
import type { ConversationDocument, GenerationFields, MessageDocument } from './documents.ts';
import { toCandidateFields } from './generation-fields.ts';
import { insertOnce } from './insert-once.ts';
import { type Fork, type LinePlace, rootFork } from './lines.ts';
import type { Models } from './models.ts';
import { findable } from './search-terms.ts';

/** Documents that are sent at one time. */
const batchMax = 500;

/** Whole users and conversations, put in the place of what is there. */
export function recordWriteMethods({ models }: Context): Pick<RecordStore, 'putUser' | 'putConversation'> {
  return {
    async putUser({ userId, settings, dailyTurns }) {
      await models.userSettings.deleteOne({ _id: userId });
      if (settings !== null) await insertAll(models.userSettings, [{ _id: userId, ...settings }], {});
      await models.dailyTurns.deleteMany({ userId });
      const kept = { userId, conversationId: '', storedAt: new Date() };
      const days = dailyTurns.map((one) => ({ _id: `${userId} ${one.day}`, ...kept, ...one }));
      await insertAll(models.dailyTurns, days, { userId });
    },
    putConversation: (record) => putConversation(models, record),
  };
}

/**
 * The conversation counts as deleted until all that belongs to it is there: what is broken off is not seen, and goes when the store is opened
 * the next time.
 */
async function putConversation(models: Models, record: ConversationRecord): Promise<void> {
  const { conversationId: _id, preferences, feedback, userId } = record;
  const lines = linesOf(record.messages);
  const conversation = toConversationDocument(record, lines);
  await models.conversations.replaceOne(
    { _id },
    { ...conversation, isDefault: false, deleted: true },
    { upsert: true },
  );
  await removeBelongings(models, _id);
  const own = { userId, conversationId: _id };
  await insertAll(models.messages, toMessageDocuments(record, lines), own);
  const traces = record.messages.flatMap(({ generationId, generation }) =>
    generationId === null || generation === null || generation.trace === null
      ? []
      : [{ _id: generationId, ...own, ...generation.trace, storedAt: new Date() }],
  );
  await insertAll(models.promptTraces, traces, own);
  const chosen = preferences.map((one, index) => ({ _id: `${one.messageId}:put:${index}`, ...own, ...one }));
  await insertAll(models.preferences, chosen, own);
  const rated = feedback.map((one) => ({ _id: new mongo.ObjectId(), ...own, ...one }));
  await insertAll(models.sessionFeedback, rated, own);
  await models.conversations.replaceOne({ _id }, conversation);
}

async function insertAll<T extends { readonly _id: unknown }>(
  model: Model<T>,
  documents: readonly T[],
  own: Partial<T>,
): Promise<void> {
  for (let from = 0; from < documents.length; from += batchMax)
    if (!(await insertOnce(model, documents.slice(from, from + batchMax), own)))
      throw new Error(`Another document of ${model.collection.name} has what one that is put has.`);
}

interface Branch {
  readonly line: number;
  readonly fork: Fork | null;
}

interface Lines {
  readonly branches: ReadonlyMap<string, Branch>;
  /** `seq` of the last message of each line. */
  readonly ends: ReadonlyMap<number, number>;
}

/** The tree cut into lines, as lines.ts says. @param messages by `seq`: parents come before what hangs on them. */
function linesOf(messages: readonly MessageRecord[]): Lines {
  const branches = new Map<string, Branch>();
  const places = new Map<string, LinePlace>();
  const ends = new Map<number, number>();
  for (const { messageId, parentId, seq } of messages) {
    const parent = parentId === null ? rootFork : places.get(parentId);
    if (parent === undefined)
      throw new Error(`The parent of message ${messageId} is not in its conversation.`);
    const goesOn = parentId !== null && ends.get(parent.line) === parent.seq;
    const line = goesOn ? parent.line : seq;
    branches.set(messageId, { line, fork: goesOn ? null : parent });
    places.set(messageId, { line, seq });
    ends.set(line, seq);
  }
  return { branches, ends };
}

function toConversationDocument(record: ConversationRecord, { branches, ends }: Lines): ConversationDocument {
  const {
    conversationId,
    messages,
    deleted: _,
    requests: __,
    preferences: ___,
    feedback: ____,
    ...fields
  } = record;
  const leaf = messages.find(({ messageId }) => messageId === record.selectedLeafId);
  const line = leaf === undefined ? undefined : branches.get(leaf.messageId)?.line;
  const openLine = line !== undefined && ends.get(line) === leaf?.seq ? line : null;
  return { _id: conversationId, ...fields, openLine, version: 0, pending: null };
}

function toMessageDocuments(record: ConversationRecord, { branches }: Lines): MessageDocument[] {
  const { conversationId, userId } = record;
  const requests = new Map(
    record.requests.map(({ messageId, clientId, bodyHash, generationId }) => [
      messageId,
      { userId, clientId, bodyHash, generationId },
    ]),
  );
  const requestOf = (messageId: string) => {
    const request = requests.get(messageId);
    return request === undefined ? {} : { request };
  };
  const standing = record.messages.map((message): MessageDocument => {
    const { messageId, generationId, generation, externalId, ...fields } = message;
    const { line, fork } = branches.get(messageId) ?? { line: message.seq, fork: null };
    return {
      ...{ _id: messageId, conversationId, userId, ...fields, line },
      ...(fork !== null && { fork }),
      ...requestOf(messageId),
      ...(generationId !== null && { generationId }),
      ...(externalId !== null && { externalId }),
      ...(generation !== null && toGenerationPart(generation)),
      ...findable(message),
    };
  });
  const gone = placesOfDeleted(record).map(
    ({ messageId, rev, seq, role }): MessageDocument => ({
      ...{ _id: messageId, conversationId, userId, seq, rev, role, line: seq, deleted: true },
      ...{ text: '', status: 'done', createdAt: record.createdAt, parentId: null, clientMessageId: null },
      ...{ finishReason: null, shownCandidateId: null, model: null, variant: null, reaction: null },
      ...requestOf(messageId),
    }),
  );
  return [...standing, ...gone];
}

function toGenerationPart(record: GenerationRecord): Pick<MessageDocument, 'generation' | 'unfinished'> {
  const { trace: _, candidates, text, ...fields } = record;
  const isEnded = record.endedAt !== null;
  const generation: GenerationFields = {
    ...fields,
    text: isEnded ? text : '',
    log: isEnded || text === '' ? [] : [text],
    logUnits: isEnded ? 0 : text.length,
    candidates: candidates.map(toCandidateFields),
  };
  return { generation, ...(!isEnded && { unfinished: new mongo.ObjectId() }) };
}

/** A `seq` that nobody has any more for each message that is gone: its own where its request tells it, else any. */
function placesOfDeleted({ lastSeq, messages, deleted, requests }: ConversationRecord) {
  const asked = new Map(requests.map((request) => [request.messageId, request]));
  const taken = new Set(messages.map(({ seq }) => seq));
  for (const { messageId } of deleted) taken.add(asked.get(messageId)?.seq ?? 0);
  const free = Array.from({ length: lastSeq }, (_, index) => index + 1).filter((seq) => !taken.has(seq));
  return deleted.map(({ messageId, rev }) => {
    const request = asked.get(messageId);
    const seq = request?.seq ?? free.shift();
    if (seq === undefined) throw new Error(`There is no place for the deleted message ${messageId}.`);
    return { messageId, rev, seq, role: request?.role ?? ('user' as const) };
  });
}
