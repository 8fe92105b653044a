/** Mongoose's models of what lies in the database. Nothing is written, or asked for, that no schema names. */
import { type Connection, type Model, Schema, type SchemaDefinition, type SchemaOptions } from 'mongoose';
import type {
  ConversationDocument,
  DailyTurnsDocument,
  ErasedDocument,
  FeedbackDocument,
  MessageDocument,
  MetaDocument,
  PreferenceDocument,
  PromptTraceDocument,
  SettingsDocument,
} from './documents.ts';

/** After so many seconds a prompt trace expires; it is not shown any more then, either (prompt-traces.ts). */
export const traceLifeSeconds = 7 * 24 * 60 * 60;
/** What was asked for on a day matters on that day. */
const dailyTurnsLifeSeconds = 3 * 24 * 60 * 60;

const options = {
  strict: 'throw',
  strictQuery: 'throw',
  autoIndex: false,
  autoCreate: false,
  versionKey: false,
  minimize: false,
} as const satisfies SchemaOptions;

const part = (definition: SchemaDefinition) =>
  new Schema(definition, { _id: false, strict: 'throw', minimize: false });

const text = { type: String };
const number = { type: Number };
/** Written as it is given: of a type that TypeScript has checked. */
const plain = { type: Schema.Types.Mixed };

const reaction = part({ kind: text, comment: text, at: number });
const request = part({ userId: text, clientId: text, bodyHash: text, generationId: text });
const fork = part({ line: number, seq: number });
const generation = part({
  status: text,
  finishReason: text,
  text,
  log: [text],
  logUnits: number,
  attempts: number,
  createdAt: number,
  startedAt: number,
  endedAt: number,
  setup: plain,
  candidates: [plain],
  shownCandidateId: text,
  race: plain,
});

const conversations = new Schema(
  {
    _id: text,
    userId: text,
    title: text,
    personaId: text,
    isDefault: { type: Boolean },
    lastSeq: number,
    lastReadSeq: number,
    rev: number,
    selectedLeafId: text,
    openLine: number,
    createdAt: number,
    updatedAt: number,
    turnsDay: text,
    turnsToday: number,
    version: number,
    pending: plain,
    deleted: { type: Boolean },
  },
  options,
)
  .index({ userId: 1, updatedAt: -1, _id: -1 }, { name: 'newest' })
  .index({ userId: 1 }, { name: 'default', unique: true, partialFilterExpression: { isDefault: true } })
  .index({ userId: 1, turnsDay: 1 }, { name: 'turns' })
  .index({ deleted: 1 }, { name: 'deleted', partialFilterExpression: { deleted: true } });

const messages = new Schema(
  {
    _id: text,
    conversationId: text,
    userId: text,
    seq: number,
    rev: number,
    role: text,
    text,
    status: text,
    createdAt: number,
    parentId: text,
    clientMessageId: text,
    generationId: text,
    line: number,
    fork: { type: fork },
    request: { type: request },
    finishReason: text,
    shownCandidateId: text,
    model: text,
    variant: text,
    reaction: { type: reaction },
    generation: { type: generation },
    unfinished: { type: Schema.Types.ObjectId },
    externalId: text,
    terms: { type: [text], default: undefined },
    place: number,
    deleted: { type: Boolean },
  },
  options,
)
  .index({ conversationId: 1, seq: 1 }, { name: 'seq', unique: true })
  .index({ 'request.userId': 1, 'request.clientId': 1 }, { name: 'request', unique: true, sparse: true })
  .index({ generationId: 1 }, { name: 'generation', unique: true, sparse: true })
  .index(
    { unfinished: 1 },
    { name: 'unfinished', partialFilterExpression: { unfinished: { $exists: true } } },
  )
  .index({ conversationId: 1, line: 1, seq: 1 }, { name: 'line' })
  .index({ conversationId: 1, rev: 1, seq: 1 }, { name: 'rev' })
  .index({ conversationId: 1, parentId: 1, seq: 1 }, { name: 'parent' })
  .index({ conversationId: 1, 'fork.line': 1 }, { name: 'fork' })
  .index({ userId: 1, terms: 1, place: -1 }, { name: 'terms' });

const promptTraces = new Schema(
  {
    _id: text,
    userId: text,
    conversationId: text,
    createdAt: number,
    storedAt: { type: Date },
    trace: plain,
  },
  options,
)
  .index({ storedAt: 1 }, { name: 'expiry', expireAfterSeconds: traceLifeSeconds })
  .index({ conversationId: 1 }, { name: 'conversation' });

const preferences = new Schema(
  {
    _id: text,
    userId: text,
    conversationId: text,
    messageId: text,
    generationId: text,
    previousCandidateId: text,
    chosenCandidateId: text,
    at: number,
  },
  options,
)
  .index({ conversationId: 1 }, { name: 'conversation' })
  .index({ userId: 1 }, { name: 'user' });

const sessionFeedback = new Schema({ userId: text, conversationId: text, rating: text, at: number }, options)
  .index({ conversationId: 1 }, { name: 'conversation' })
  .index({ userId: 1 }, { name: 'user' });

const userSettings = new Schema(
  {
    _id: text,
    trainingConsent: { type: Boolean },
    styleEnabled: { type: Boolean },
    locale: text,
    timeZone: text,
  },
  options,
);

const dailyTurns = new Schema(
  {
    _id: text,
    userId: text,
    day: text,
    conversationId: text,
    turns: number,
    storedAt: { type: Date },
  },
  options,
)
  .index({ userId: 1, day: 1 }, { name: 'turns' })
  .index({ storedAt: 1 }, { name: 'expiry', expireAfterSeconds: dailyTurnsLifeSeconds });

/** A token of a guest lasts for 30 days, and none is given to somebody erased. */
const erasedLifeSeconds = 31 * 24 * 60 * 60;

const erasedUsers = new Schema({ _id: text, at: number, storedAt: { type: Date } }, options).index(
  { storedAt: 1 },
  { name: 'expiry', expireAfterSeconds: erasedLifeSeconds },
);

/** What is kept of the store itself. */
const meta = new Schema({ _id: text, value: number, text }, options);

export interface Models {
  readonly conversations: Model<ConversationDocument>;
  readonly messages: Model<MessageDocument>;
  readonly promptTraces: Model<PromptTraceDocument>;
  readonly preferences: Model<PreferenceDocument>;
  readonly sessionFeedback: Model<FeedbackDocument>;
  readonly userSettings: Model<SettingsDocument>;
  readonly dailyTurns: Model<DailyTurnsDocument>;
  readonly erasedUsers: Model<ErasedDocument>;
  readonly meta: Model<MetaDocument>;
}

export function createModels(connection: Connection): Models {
  // A schema cannot tell the compiler that its documents are of the types in documents.ts.
  const model = (name: string, schema: unknown) => connection.model(name, schema as Schema, name) as unknown;
  return {
    conversations: model('conversations', conversations),
    messages: model('messages', messages),
    promptTraces: model('prompt_traces', promptTraces),
    preferences: model('preferences', preferences),
    sessionFeedback: model('session_feedback', sessionFeedback),
    userSettings: model('user_settings', userSettings),
    dailyTurns: model('daily_turns', dailyTurns),
    erasedUsers: model('erased_users', erasedUsers),
    meta: model('meta', meta),
  } as Models;
}
