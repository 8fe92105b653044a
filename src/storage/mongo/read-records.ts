import type {
  ConversationRecord,
  GenerationRecord,
  MessageRecord,
  RequestRecord,
} from '../../records/record.ts';
import type { IdPage, RecordStore } from '../../records/stores.ts';
import type { Context } from './context.ts';
import type { ConversationDocument, MessageDocument } from './documents.ts';
import { existing } from './filters.ts';
import { toGeneration } from './generation-fields.ts';
import type { Models } from './models.ts';
import { findTraces } from './prompt-traces.ts';
import { fieldsOf } from './to-messages.ts';

type Methods = Pick<
  RecordStore,
  'userIds' | 'userRecord' | 'conversationAges' | 'conversationIds' | 'conversationRecord'
>;
type Traces = Awaited<ReturnType<typeof findTraces>>;

/** Whole users and conversations, as they are kept. */
export function recordReadMethods({ models, changes }: Context): Methods {
  return {
    userIds: (page) => userIds(models, page),
    async conversationIds({ userId, after, limit }) {
      const found = await models.conversations
        .find({ userId, _id: { $gt: after ?? '' }, ...existing }, { _id: 1 })
        .sort({ _id: 1 })
        .limit(limit)
        .lean();
      return found.map(({ _id }) => _id);
    },
    async conversationAges({ after, limit }) {
      const found = await models.conversations
        .find({ _id: { $gt: after ?? '' }, ...existing }, { userId: 1, updatedAt: 1 })
        .sort({ _id: 1 })
        .limit(limit)
        .lean();
      return found.map(({ _id: conversationId, userId, updatedAt }) => ({
        conversationId,
        userId,
        updatedAt,
      }));
    },
    async userRecord(userId) {
      const [settings, turns] = await Promise.all([
        models.userSettings.findById(userId, { _id: 0 }).lean(),
        models.dailyTurns.find({ userId }, { _id: 0, day: 1, turns: 1 }).lean(),
      ]);
      return { userId, settings, dailyTurns: sumByDay(turns) };
    },
    async conversationRecord({ userId, conversationId, at }) {
      const conversation = await changes.find(userId, conversationId);
      return conversation === null ? null : await toRecord(models, conversation, at);
    },
  };
}

/** The lists of users that the collections have, as far as all of them have been looked through. */
async function userIds(models: Models, { after, limit }: IdPage): Promise<string[]> {
  const from = { $gt: after ?? '' };
  const [conversations, turns, settings] = await Promise.all([
    models.conversations
      .find({ userId: from, ...existing }, { _id: 0, userId: 1 })
      .sort({ userId: 1 })
      .limit(limit)
      .lean(),
    models.dailyTurns.find({ userId: from }, { _id: 0, userId: 1 }).sort({ userId: 1 }).limit(limit).lean(),
    models.userSettings.find({ _id: from }, { _id: 1 }).sort({ _id: 1 }).limit(limit).lean(),
  ]);
  const lists = [conversations, turns].map((list) => list.map(({ userId }) => userId));
  lists.push(settings.map(({ _id }) => _id));
  const ends = lists.flatMap((list) => (list.length === limit ? (list.at(-1) ?? []) : []));
  const known = [...new Set(lists.flat())].sort(byCodePoints);
  const whole = known.filter((userId) => ends.every((end) => byCodePoints(userId, end) <= 0));
  if (whole.length >= limit || ends.length === 0) return whole.slice(0, limit);
  // A full page of documents of few users: there may be more behind the last of them.
  const rest = await userIds(models, { after: whole.at(-1) ?? after, limit: limit - whole.length });
  return [...whole, ...rest];
}

/** As the database orders them, and SQLite does: by bytes of UTF-8. */
function byCodePoints(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function sumByDay(counts: readonly { readonly day: string; readonly turns: number }[]) {
  const sums = new Map<string, number>();
  for (const { day, turns } of counts) sums.set(day, (sums.get(day) ?? 0) + turns);
  return [...sums].sort(([one], [other]) => (one < other ? -1 : 1)).map(([day, turns]) => ({ day, turns }));
}

async function toRecord(
  models: Models,
  conversation: ConversationDocument,
  at: number,
): Promise<ConversationRecord> {
  const {
    _id: conversationId,
    openLine: _,
    version: __,
    pending: ___,
    deleted: ____,
    ...fields
  } = conversation;
  const [documents, traces, preferences, feedback] = await Promise.all([
    models.messages.find({ conversationId }, { terms: 0 }).sort({ seq: 1 }).lean<MessageDocument[]>(),
    findTraces(models, conversationId, at),
    models.preferences
      .find({ conversationId }, { _id: 0, userId: 0, conversationId: 0 })
      .sort({ at: 1, generationId: 1, chosenCandidateId: 1 })
      .lean(),
    models.sessionFeedback
      .find({ conversationId }, { _id: 0, rating: 1, at: 1 })
      .sort({ at: 1, rating: 1 })
      .lean(),
  ]);
  return {
    conversationId,
    ...fields,
    messages: documents.filter(({ deleted }) => deleted !== true).map((one) => toMessageRecord(one, traces)),
    deleted: documents
      .filter(({ deleted }) => deleted === true)
      .map(({ _id: messageId, rev }) => ({ messageId, rev }))
      .sort((one, other) => one.rev - other.rev || byCodePoints(one.messageId, other.messageId)),
    requests: documents
      .flatMap(toRequestRecord)
      .sort((one, other) => byCodePoints(one.clientId, other.clientId)),
    preferences,
    feedback,
  };
}

function toMessageRecord(document: MessageDocument, traces: Traces): MessageRecord {
  const generation = toGenerationRecord(document, traces);
  return { ...fieldsOf(document), externalId: document.externalId ?? null, generation };
}

function toGenerationRecord(document: MessageDocument, traces: Traces): GenerationRecord | null {
  const generation = toGeneration(document);
  if (generation === null) return null;
  const { generationId, conversationId: _, userId: __, messageId: ___, replyTo: ____, ...kept } = generation;
  return { ...kept, trace: traces.get(generationId) ?? null };
}

function toRequestRecord({ _id: messageId, seq, role, request }: MessageDocument): RequestRecord[] {
  if (request === undefined) return [];
  const { clientId, bodyHash, generationId } = request;
  return [{ clientId, bodyHash, generationId, messageId, seq, role }];
}
