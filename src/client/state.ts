/** What the reader of a conversation sees. Every value is immutable: a change makes a new snapshot that shares what stayed. */
import type { WireMessage } from '../protocol/events.ts';
import { limits } from '../protocol/limits.ts';
import type { Fault } from './fault.ts';

export type ReactionKind = NonNullable<WireMessage['reaction']>['kind'];

export type ConnectionState =
  /** Before the first answer of the server. */
  | { readonly state: 'connecting' }
  | { readonly state: 'online' }
  /** Lost or not reachable; it is tried again without being asked. */
  | { readonly state: 'offline' }
  /** The server does not want us; only `reconnect()` tries again. */
  | { readonly state: 'refused'; readonly error: Fault }
  | { readonly state: 'closed' };

export interface ChatMessage {
  /** Stays the same from the moment the message is typed: `clientMessageId`, or `messageId` where there is none. */
  readonly key: string;
  /** Null until the server has stored it. */
  readonly messageId: string | null;
  /** Null until the server has stored it. */
  readonly seq: number | null;
  /** 0 while the message is known by an acknowledgement or `reply:start` only. */
  readonly rev: number;
  readonly role: WireMessage['role'];
  /** While a reply runs: its text so far. */
  readonly text: string;
  readonly createdAt: string;
  /** Companion messages are always `sent`. */
  readonly delivery: 'sending' | 'sent' | 'failed';
  readonly status: WireMessage['status'];
  readonly finishReason: WireMessage['finishReason'] | null;
  readonly generationId: string | null;
  readonly reaction: WireMessage['reaction'];
  /** Why sending or replying failed, where this client saw it happen. */
  readonly error: Fault | null;
}

/** A generation that has not ended. */
export interface RunningReply {
  readonly generationId: string;
  /** The user message that it answers. */
  readonly replyTo: string;
  /** Null until `reply:start`: it waits. */
  readonly messageId: string | null;
  /** A delta went missing; the text stands still until `generation:resume` has answered. */
  readonly hole: boolean;
  /** Known from before the connection was lost; the next `conversation:open` decides whether it still runs. */
  readonly stale: boolean;
}

/** The last thing that went wrong outside a message of its own. */
export interface ConversationFault {
  readonly about: 'open' | 'history' | 'reaction' | 'stop';
  readonly error: Fault;
}

export interface ConversationState {
  readonly connection: ConnectionState;
  readonly userId: string | null;
  readonly conversationId: string | null;
  /** Bytes of UTF-8 in one message, as the server said at `session:ready`. */
  readonly textBytesMax: number;
  /** The newest page has been read once. */
  readonly loaded: boolean;
  /** By `seq`; what is not stored yet stands at the end, in the order of typing. */
  readonly messages: readonly ChatMessage[];
  /** By generationId. */
  readonly replies: Readonly<Record<string, RunningReply>>;
  readonly hasOlder: boolean;
  readonly loadingOlder: boolean;
  readonly companionTyping: boolean;
  readonly fault: ConversationFault | null;
  /** Every change up to this `rev` is in `messages`. */
  readonly rev: number;
  /** Since the last connect `conversation:open` has been answered: live events continue where `rev` stands. */
  readonly synced: boolean;
}

export const initialState: ConversationState = {
  connection: { state: 'connecting' },
  userId: null,
  conversationId: null,
  textBytesMax: limits.textBytesMax,
  loaded: false,
  messages: [],
  replies: {},
  hasOlder: false,
  loadingOlder: false,
  companionTyping: false,
  fault: null,
  rev: 0,
  synced: false,
};
