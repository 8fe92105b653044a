import type { Generation, Message } from '../conversation/message.ts';
import type { AppendedTurn, NewTurn } from '../conversation/stores.ts';

export type Created = Extract<AppendedTurn, { kind: 'created' }>;

/** Where a turn goes. */
export interface TurnPlace {
  readonly parentId: string | null;
  /** Of the user message; the companion message takes the next ones. */
  readonly seq: number;
  readonly rev: number;
}

/** What reading a turn would give that was just stored as the first after its parent. */
export function asCreated(turn: NewTurn, { parentId, seq, rev }: TurnPlace): Created {
  const { conversationId, userId, generationId, at } = turn;
  const [messageId, replyTo] = [turn.companionMessageId, turn.userMessageId];
  const reply = { messageId, conversationId, userId, seq: seq + 1, rev: rev + 1, parentId: replyTo };
  return {
    kind: 'created',
    user: newUserMessage(turn, { parentId, seq, rev }),
    companion: newReply({ ...reply, at, generationId }),
    generation: newGeneration({ generationId, conversationId, userId, messageId, replyTo, at }),
    olderSiblings: [],
  };
}

// Each field by name, here and below: docs/adr/0016-literals-begin-with-their-own.md.
function newUserMessage(turn: NewTurn, { parentId, seq, rev }: TurnPlace): Message {
  return {
    messageId: turn.userMessageId,
    conversationId: turn.conversationId,
    userId: turn.userId,
    seq,
    rev,
    role: 'user',
    text: turn.text,
    status: 'done',
    createdAt: turn.at,
    parentId,
    clientMessageId: turn.clientId,
    generationId: null,
    finishReason: null,
    shownCandidateId: null,
    model: null,
    variant: null,
    reaction: null,
    siblings: { index: 0, count: 1 },
  };
}

interface NewReplyMessage {
  readonly messageId: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly seq: number;
  readonly rev: number;
  readonly parentId: string;
  readonly generationId: string;
  readonly at: number;
}

/** The companion message that will hold a reply, as the first of its versions. */
export function newReply(reply: NewReplyMessage): Message {
  return {
    messageId: reply.messageId,
    conversationId: reply.conversationId,
    userId: reply.userId,
    seq: reply.seq,
    rev: reply.rev,
    role: 'companion',
    text: '',
    status: 'queued',
    createdAt: reply.at,
    parentId: reply.parentId,
    clientMessageId: null,
    generationId: reply.generationId,
    finishReason: null,
    shownCandidateId: null,
    model: null,
    variant: null,
    reaction: null,
    siblings: { index: 0, count: 1 },
  };
}

interface NewGeneration {
  readonly generationId: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly messageId: string;
  readonly replyTo: string;
  readonly at: number;
}

export function newGeneration(generation: NewGeneration): Generation {
  return {
    generationId: generation.generationId,
    conversationId: generation.conversationId,
    userId: generation.userId,
    messageId: generation.messageId,
    replyTo: generation.replyTo,
    status: 'queued',
    finishReason: null,
    text: '',
    attempts: 0,
    createdAt: generation.at,
    startedAt: null,
    endedAt: null,
    setup: null,
    candidates: [],
    shownCandidateId: null,
    race: null,
  };
}
