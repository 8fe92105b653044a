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

const pageLimit = z.int().min(1).max(limits.pageMax).optional();

/** Unknown fields are refused; `too_large` for long texts is decided after parsing, so no schema bounds them here. */
export const clientEvents = {
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
    }),
  },
  'history:page': {
    payload: z.strictObject({ conversationId: id, beforeSeq: z.int().min(1).optional(), limit: pageLimit }),
    reply: z.object({ messages: z.array(messageSchema), hasMore: z.boolean() }),
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
  'message:created': z.object({ message: messageSchema }),
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
