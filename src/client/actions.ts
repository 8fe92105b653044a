import type { ServerEvent, ServerPayload, Value } from '../protocol/events.ts';
import type { Fault } from './fault.ts';
import type { ChatMessage, ConnectionState, ConversationFault } from './state.ts';

export type ServerAction = {
  [E in ServerEvent]: { readonly type: E; readonly payload: ServerPayload<E> };
}[ServerEvent];

/** Everything that can change the state of a conversation: what the server sends, what it answers, what the user does. */
export type Action =
  | ServerAction
  | { readonly type: 'connection'; readonly connection: ConnectionState }
  /** `reset`: the answer is a newest page that replaces what is held, not a list of changes to it. */
  | { readonly type: 'opened'; readonly value: Value<'conversation:open'>; readonly reset: boolean }
  | {
      readonly type: 'resumed';
      readonly generationId: string;
      readonly value: Value<'generation:resume'>;
    }
  | { readonly type: 'older:asked' }
  | { readonly type: 'older:loaded'; readonly value: Value<'history:page'> }
  | {
      readonly type: 'send:queued';
      readonly clientMessageId: string;
      readonly text: string;
      readonly at: string;
    }
  | { readonly type: 'send:retried'; readonly clientMessageId: string }
  | {
      readonly type: 'send:acked';
      readonly clientMessageId: string;
      readonly value: Value<'message:send'>;
    }
  | { readonly type: 'send:failed'; readonly clientMessageId: string; readonly error: Fault }
  | {
      readonly type: 'reaction:patched';
      readonly messageId: string;
      readonly reaction: ChatMessage['reaction'];
    }
  | { readonly type: 'typing:expired' }
  | { readonly type: 'faulted'; readonly about: ConversationFault['about']; readonly error: Fault }
  | { readonly type: 'fault:cleared'; readonly about?: ConversationFault['about'] };
