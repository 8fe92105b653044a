/** What the reader of a conversation sees. Every value is immutable: a change makes a new snapshot that shares what stayed. */
import type { Value, WireMessage } from '../protocol/events.ts';
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
  /** The message that it hangs on. Null for the first of a conversation, and while the server's own copy has not arrived. */
  readonly parentId: string | null;
  /** Its place among the versions of this message, from 0, and the messageIds beside it: `selectBranch` shows one. */
  readonly siblings: Siblings;
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
  /** An edit or a further reply that was asked for here and did not come about. */
  readonly refused: RefusedRequest | null;
}

export interface Siblings {
  readonly index: number;
  readonly count: number;
  readonly previousId: string | null;
  readonly nextId: string | null;
}

export interface RefusedRequest {
  readonly kind: 'edit' | 'regenerate';
  /** For `retry` and `discard`. */
  readonly clientId: string;
  /** Of an edit: what was to stand there. */
  readonly text: string;
  readonly error: Fault;
}

/** What the user asked for and the server has not acknowledged; in the order in which it goes out. */
export interface Outgoing {
  readonly kind: 'send' | 'edit' | 'regenerate';
  /** The UUID by which the server knows a repeat. */
  readonly clientId: string;
  /** The message that is edited or answered anew; null for `send`. */
  readonly targetId: string | null;
  /** Empty for `regenerate`. */
  readonly text: string;
  /** When it was asked for, ISO 8601. */
  readonly at: string;
  readonly delivery: 'sending' | 'failed';
  readonly error: Fault | null;
  /** How it is shown; null for `regenerate`. */
  readonly draft: ChatMessage | null;
}

/** A finished candidate of a reply; `rank` 1 is the best. */
export type Alternative = Value<'reply:alternatives'>['alternatives'][number];

/** A generation that has not ended. */
export interface RunningReply {
  readonly generationId: string;
  /** The user message that it answers. It may stand on a branch that is not shown: see `shownReplies`. */
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
  readonly about: 'open' | 'history' | 'reaction' | 'stop' | 'choose' | 'branch';
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
  /** What to show: the selected branch by `seq`, as it will be once `outgoing` is stored; what is not stored stands last. */
  readonly messages: readonly ChatMessage[];
  /** The selected branch as the server told it, from the oldest message that was read to its end. */
  readonly branch: readonly ChatMessage[];
  readonly outgoing: readonly Outgoing[];
  /** Whose `outgoing` is while nobody has been let in; null: whoever will be. */
  readonly outgoingOf: string | null;
  /** The end of the selected branch as the server named it last; null: the last message of `branch`, or its reply. */
  readonly leafId: string | null;
  /** The generation that writes the end of the selected branch, while only its acknowledgement has told of it. */
  readonly leafGenerationId: string | null;
  /** By messageId, for replies whose alternatives were asked for and whose text has not changed elsewhere since. */
  readonly alternatives: Readonly<Record<string, readonly Alternative[]>>;
  /** Of messages that were deleted while this connection stood. */
  readonly deletedIds: ReadonlySet<string>;
  /** By generationId. */
  readonly replies: Readonly<Record<string, RunningReply>>;
  readonly hasOlder: boolean;
  readonly loadingOlder: boolean;
  readonly companionTyping: boolean;
  readonly fault: ConversationFault | null;
  /** Every change of the selected branch up to this `rev` is known. */
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
  branch: [],
  outgoing: [],
  outgoingOf: null,
  leafId: null,
  leafGenerationId: null,
  alternatives: {},
  deletedIds: new Set(),
  replies: {},
  hasOlder: false,
  loadingOlder: false,
  companionTyping: false,
  fault: null,
  rev: 0,
  synced: false,
};
