import type { ServerEvent, ServerPayload, Value } from '../protocol/events.ts';
import type { Fault } from './fault.ts';
import type { Asked } from './outgoing.ts';
import type { Alternative, ChatMessage, ConnectionState, ConversationFault, Outgoing } from './state.ts';

export type ServerAction = {
  [E in ServerEvent]: { readonly type: E; readonly payload: ServerPayload<E> };
}[ServerEvent];

/** Everything that can change the state of a conversation: what the server sends, what it answers, what the user does. */
export type Action =
  | ServerAction
  | { readonly type: 'connection'; readonly connection: ConnectionState }
  /** `reset`: the answer is a newest page, not a list of changes to what is held. */
  | { readonly type: 'opened'; readonly value: Value<'conversation:open'>; readonly reset: boolean }
  | {
      readonly type: 'resumed';
      readonly generationId: string;
      readonly value: Value<'generation:resume'>;
    }
  | { readonly type: 'older:asked' }
  | { readonly type: 'older:loaded'; readonly value: Value<'history:page'> }
  | { readonly type: 'outgoing:queued'; readonly asked: Asked; readonly at: string }
  /** What an earlier run of the app has left. */
  | {
      readonly type: 'outgoing:restored';
      readonly userId: string | null;
      readonly outgoing: readonly Outgoing[];
    }
  | { readonly type: 'outgoing:retried'; readonly clientId: string }
  | { readonly type: 'outgoing:failed'; readonly clientId: string; readonly error: Fault }
  | { readonly type: 'outgoing:discarded'; readonly clientId: string }
  /** A sent or edited message is stored. */
  | { readonly type: 'turn:acked'; readonly clientId: string; readonly value: Value<'message:send'> }
  | {
      readonly type: 'regenerate:acked';
      readonly clientId: string;
      readonly value: Value<'reply:regenerate'>;
    }
  | { readonly type: 'branch:selected'; readonly value: Value<'branch:select'> }
  | {
      readonly type: 'alternatives:loaded';
      readonly messageId: string;
      readonly alternatives: readonly Alternative[];
    }
  /** A choice shows before the server has confirmed it, or is taken back. */
  | {
      readonly type: 'choice:patched';
      readonly messageId: string;
      readonly shown: Pick<ChatMessage, 'text' | 'reaction'>;
    }
  | {
      readonly type: 'reaction:patched';
      readonly messageId: string;
      readonly reaction: ChatMessage['reaction'];
    }
  | { readonly type: 'typing:expired' }
  | { readonly type: 'faulted'; readonly about: ConversationFault['about']; readonly error: Fault }
  | { readonly type: 'fault:cleared'; readonly about?: ConversationFault['about'] };
