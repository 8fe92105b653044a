/** Domain objects -> what stands on the wire (protocol/events.ts), field by field. */
import type { Conversation, Message, PromptTrace, Reaction } from '../conversation/message.ts';
import type { Turn } from '../conversation/reply.ts';
import type { ReplyEvent } from '../conversation/reply-stream.ts';
import type { ServerEvent, ServerPayload, Value, WireConversation, WireMessage } from '../protocol/events.ts';
import { toWireError } from '../std/coded-error.ts';

const toTime = (ms: number) => new Date(ms).toISOString();

export function toWireReaction(reaction: Reaction | null): WireMessage['reaction'] {
  if (reaction === null) return null;
  const { kind, comment, at } = reaction;
  return { kind, ...(comment === null ? {} : { comment }), at: toTime(at) };
}

export function toWireMessage(message: Message): WireMessage {
  const { messageId, conversationId, seq, rev, role, text, status, parentId, siblings } = message;
  return {
    messageId,
    conversationId,
    seq,
    rev,
    role,
    text,
    status,
    createdAt: toTime(message.createdAt),
    parentId,
    ...(message.clientMessageId === null ? {} : { clientMessageId: message.clientMessageId }),
    ...(message.generationId === null ? {} : { generationId: message.generationId }),
    ...(message.finishReason === null ? {} : { finishReason: message.finishReason }),
    ...(message.model === null ? {} : { model: message.model }),
    ...(message.variant === null ? {} : { variant: message.variant }),
    reaction: toWireReaction(message.reaction),
    siblings,
  };
}

export function toWireConversation(conversation: Conversation): WireConversation {
  const { userId: _, createdAt, updatedAt, ...same } = conversation;
  return { ...same, createdAt: toTime(createdAt), updatedAt: toTime(updatedAt) };
}

export function toWireTrace(trace: PromptTrace): Value<'prompt:trace'>['trace'] {
  return { ...trace, parts: [...trace.parts] };
}

/** One event of a reply, as name and payload. */
export type ReplyMessage = {
  [E in 'reply:start' | 'reply:delta' | 'reply:end' | 'reply:fail']: readonly [
    event: E,
    payload: ServerPayload<E>,
  ];
}[Extract<ServerEvent, `reply:${string}`>];

export function toReplyMessage(turn: Turn, event: ReplyEvent): ReplyMessage {
  const { generationId, conversationId } = turn;
  const replyTo = turn.user.messageId;
  switch (event.kind) {
    case 'start': {
      const { candidates, level } = event;
      const { messageId } = turn.companion;
      return ['reply:start', { generationId, conversationId, messageId, replyTo, candidates, level }];
    }
    case 'delta':
      return ['reply:delta', { generationId, offset: event.offset, text: event.text }];
    case 'end':
      return [
        'reply:end',
        { generationId, message: toWireMessage(event.message), finishReason: event.finishReason },
      ];
    case 'fail':
      return [
        'reply:fail',
        { generationId, message: toWireMessage(event.message), error: toWireError(event.error) },
      ];
  }
}
