/**
 * The wire: one table of what clients send, one of what the server sends. Payload and reply schemas are the only place
 * where they are written down; the typed Socket.IO maps of both sides and the reference are derived from them.
 */
import { z } from 'zod';
import type { WireError } from './errors.ts';
import { limits } from './limits.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not an id');
/** Any RFC 9562 UUID; case does not matter to the client and is kept as sent. */
const clientId = z.uuid('is not a UUID');
const wellFormed = (text: string) => text.isWellFormed();
const wireText = z.string().refine(wellFormed, 'holds a lone surrogate');
const isLocale = (tag: string) => {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
};
const isTimeZone = (name: string) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};
/** Something to see: not white space, control or format characters alone. */
const visible = /[^\s\p{C}]/u;
const offset = z.int().min(0);
const time = z.iso.datetime();

const reactionKinds = ['up', 'down', 'love', 'funny', 'meaningless', 'offensive'] as const;
const role = z.enum(['user', 'companion']);
const status = z.enum(['queued', 'running', 'done', 'cancelled', 'failed']);
const finishReason = z.enum(['stop', 'length', 'cancelled', 'superseded', 'filtered', 'canned']);
const reaction = z.object({ kind: z.enum(reactionKinds), comment: z.string().optional(), at: time });

export const messageSchema = z.object({
  messageId: id,
  conversationId: id,
  seq: z.int().min(1),
  rev: z.int().min(1),
  role,
  text: z.string(),
  status,
  createdAt: time,
  parentId: id.nullable(),
  clientMessageId: z.string().optional(),
  generationId: id.optional(),
  finishReason: finishReason.optional(),
  model: z.string().optional(),
  variant: z.string().optional(),
  reaction: reaction.nullable(),
  /** `previousId`, `nextId`: the versions beside it, for `branch:select`; absent where there is none. */
  siblings: z.object({
    index: z.int().min(0),
    count: z.int().min(1),
    previousId: id.optional(),
    nextId: id.optional(),
  }),
});

export const conversationSchema = z.object({
  conversationId: id,
  title: z.string().nullable(),
  personaId: id.nullable(),
  lastSeq: z.int().min(0),
  lastReadSeq: z.int().min(0),
  rev: z.int().min(0),
  selectedLeafId: id.nullable(),
  createdAt: time,
  updatedAt: time,
  preview: z.object({ role, text: z.string() }).nullable(),
});

const promptTrace = z.object({
  template: z.string(),
  model: z.string(),
  promptTokens: z.int(),
  budgetTokens: z.int(),
  parts: z.array(
    z.object({
      kind: z.enum(['system', 'persona', 'fact', 'recall', 'summary', 'hint', 'style', 'recent']),
      text: z.string(),
      tokens: z.int(),
      reason: z.string(),
      messageId: id.optional(),
      memoryId: id.optional(),
    }),
  ),
});

const messageText = wireText.refine((text) => visible.test(text), 'is empty');
const sent = z.object({
  messageId: id,
  conversationId: id,
  seq: z.int(),
  generationId: id,
  duplicate: z.boolean(),
});

const conversation = z.object({ conversation: conversationSchema });
/** Opaque: where a page ended. */
const cursor = z.string().max(256).optional();
const nextCursor = z.string().nullable();

const settings = z.object({
  trainingConsent: z.boolean(),
  styleEnabled: z.boolean(),
  locale: z.string().nullable(),
  timeZone: z.string().nullable(),
});

const pageLimit = z.int().min(1).max(limits.pageMax).optional();

/** Unknown fields are refused; `too_large` for long texts is decided after parsing, so no schema bounds them here. */
export const clientEvents = {
  /** The one changed last first. */
  'conversation:list': {
    payload: z.strictObject({ cursor, limit: pageLimit }),
    reply: z.object({ conversations: z.array(conversationSchema), nextCursor }),
  },
  'conversation:create': {
    payload: z.strictObject({ title: messageText.optional(), personaId: id.optional() }),
    reply: conversation,
  },
  'conversation:rename': {
    payload: z.strictObject({ conversationId: id, title: messageText }),
    reply: conversation,
  },
  /** With all that is in it; what is being written in it is cancelled. */
  'conversation:delete': { payload: z.strictObject({ conversationId: id }), reply: z.object({}) },
  /** For all devices; never goes back. */
  'conversation:read': {
    payload: z.strictObject({ conversationId: id, seq: z.int().min(0) }),
    reply: z.object({}),
  },
  'conversation:open': {
    payload: z.strictObject({
      conversationId: id.optional(),
      afterRev: z.int().min(0).optional(),
      limit: pageLimit,
    }),
    reply: z.object({
      conversation: conversationSchema,
      messages: z.array(messageSchema),
      lastSeq: z.int(),
      hasMore: z.boolean(),
      activeGenerations: z.array(
        z.object({ generationId: id, messageId: id, replyTo: id, text: z.string(), status, level: z.int() }),
      ),
      /** With `afterRev`: messages that were deleted since. */
      deletedMessageIds: z.array(id).optional(),
    }),
  },
  'history:page': {
    payload: z.strictObject({ conversationId: id, beforeSeq: z.int().min(1).optional(), limit: pageLimit }),
    reply: z.object({ messages: z.array(messageSchema), hasMore: z.boolean() }),
  },
  /** Messages with all words of the query, the last one perhaps only begun; the newest first. */
  'history:search': {
    payload: z.strictObject({ query: messageText, conversationId: id.optional(), cursor, limit: pageLimit }),
    reply: z.object({
      hits: z.array(z.object({ message: messageSchema, excerpt: z.string() })),
      nextCursor,
    }),
  },
  'message:send': {
    payload: z.strictObject({
      clientMessageId: clientId,
      conversationId: id.optional(),
      text: messageText,
      parentId: id.nullable().optional(),
    }),
    reply: sent,
  },
  /** One more version beside the message. What is being written below the old one is cancelled. */
  'message:edit': {
    payload: z.strictObject({ clientMessageId: clientId, messageId: id, text: messageText }),
    reply: sent,
  },
  /** The message and what hangs below it; what is being written there is cancelled. */
  'message:delete': { payload: z.strictObject({ messageId: id }), reply: z.object({}) },
  /** One more reply to the same message. What is being written in the place of the old one, or below, is cancelled. */
  'reply:regenerate': {
    payload: z.strictObject({ clientRequestId: clientId, messageId: id }),
    reply: z.object({ generationId: id, duplicate: z.boolean() }),
  },
  /** Best first; none of a reply that has not ended. */
  'reply:alternatives': {
    payload: z.strictObject({ messageId: id }),
    reply: z.object({
      alternatives: z.array(
        z.object({ candidateId: id, text: z.string(), rank: z.int().min(1), shown: z.boolean() }),
      ),
    }),
  },
  'reply:choose': {
    payload: z.strictObject({ messageId: id, candidateId: id }),
    reply: z.object({ message: messageSchema }),
  },
  'branch:select': {
    payload: z.strictObject({ messageId: id }),
    reply: z.object({ conversation: conversationSchema, messages: z.array(messageSchema) }),
  },
  'generation:cancel': {
    payload: z.strictObject({ generationId: id }),
    reply: z.object({ status }),
  },
  'generation:resume': {
    payload: z.strictObject({ generationId: id, offset }),
    reply: z.object({ text: z.string(), offset, status, message: messageSchema.optional() }),
  },
  'reaction:set': {
    payload: z.strictObject({ messageId: id, kind: z.enum(reactionKinds), comment: wireText.optional() }),
    reply: z.object({ messageId: id, reaction: reaction.nullable() }),
  },
  'reaction:clear': {
    payload: z.strictObject({ messageId: id }),
    reply: z.object({ messageId: id, reaction: reaction.nullable() }),
  },
  'session:feedback': {
    payload: z.strictObject({ conversationId: id, rating: z.enum(['better', 'same', 'worse']) }),
    reply: z.object({}),
  },
  /** Shown on the user's other devices, for five seconds unless it is said again. */
  'typing:set': {
    payload: z.strictObject({ conversationId: id, typing: z.boolean() }),
    reply: z.object({}),
  },
  'settings:get': { payload: z.strictObject({}), reply: z.object({ settings }) },
  'settings:set': {
    payload: z.strictObject({
      trainingConsent: z.boolean().optional(),
      styleEnabled: z.boolean().optional(),
      locale: z.string().max(64).refine(isLocale, 'is not a BCP 47 language tag').optional(),
      timeZone: z.string().max(64).refine(isTimeZone, 'is not an IANA time zone').optional(),
    }),
    reply: z.object({ settings }),
  },
  /** A newer token of the same user, before the old one ends. */
  'auth:refresh': {
    payload: z.strictObject({ token: z.string().max(8192) }),
    reply: z.object({ expiresAt: time }),
  },
  'prompt:trace': {
    payload: z.strictObject({ generationId: id }),
    reply: z.object({ trace: promptTrace }),
  },
} as const;

export const serverEvents = {
  'session:ready': z.object({
    protocolVersion: z.int(),
    userId: z.string(),
    conversationId: id,
    lastSeq: z.int(),
    rev: z.int(),
    serverTime: time,
    limits: z.record(z.string(), z.number()),
  }),
  /** 60 s before the token ends; at its end the connection is closed. */
  'session:expiring': z.object({ expiresAt: time }),
  'message:created': z.object({ message: messageSchema }),
  'message:deleted': z.object({ conversationId: id, messageIds: z.array(id), rev: z.int() }),
  'typing:update': z.object({ conversationId: id, who: role, typing: z.boolean(), ttlMs: z.int() }),
  'reply:start': z.object({
    generationId: id,
    conversationId: id,
    messageId: id,
    replyTo: id,
    candidates: z.int(),
    level: z.int(),
  }),
  'reply:delta': z.object({ generationId: id, offset, text: z.string() }),
  'reply:end': z.object({ generationId: id, message: messageSchema, finishReason }),
  'reply:fail': z.object({
    generationId: id,
    message: messageSchema,
    error: z.object({
      code: z.string(),
      message: z.string(),
      retryable: z.boolean(),
      retryAfterMs: z.number().optional(),
    }),
  }),
  /** After a choice, a reaction, or a new sibling. */
  'message:updated': z.object({ message: messageSchema }),
  /** Another branch may be selected than before. */
  'conversation:updated': z.object({ conversation: conversationSchema }),
  'conversation:deleted': z.object({ conversationId: id }),
  /** Something happened of which the device was not told: open the conversation with `afterRev`. */
  'conversation:gap': z.object({ conversationId: id, afterRev: z.int().min(0) }),
  /** The server is about to stop: connect again after so long. */
  'server:draining': z.object({ reconnectInMs: z.int().min(0) }),
  'reaction:updated': z.object({ messageId: id, reaction: reaction.nullable() }),
} as const;

export type ClientEvent = keyof typeof clientEvents;
export type ServerEvent = keyof typeof serverEvents;
/** What a client may pass (defaults and optional fields as written). */
export type Payload<E extends ClientEvent> = z.input<(typeof clientEvents)[E]['payload']>;
export type Value<E extends ClientEvent> = z.output<(typeof clientEvents)[E]['reply']>;
export type ServerPayload<E extends ServerEvent> = z.output<(typeof serverEvents)[E]>;
export type WireMessage = z.output<typeof messageSchema>;
export type WireConversation = z.output<typeof conversationSchema>;

export type Ack<T> = { ok: true; value: T } | { ok: false; error: WireError };

/** The maps that type both ends of a Socket.IO connection. */
export type ClientToServerEvents = {
  [E in ClientEvent]: (payload: Payload<E>, ack: (answer: Ack<Value<E>>) => void) => void;
};
export type ServerToClientEvents = { [E in ServerEvent]: (payload: ServerPayload<E>) => void };
