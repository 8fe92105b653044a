/**
 * The rules of the protocol about branches as a plain model: what a server holds of one conversation, and which events it
 * sends for a change. Without sockets, time and texts worth reading.
 */
import type {
  ServerEvent,
  ServerPayload,
  Value,
  WireConversation,
  WireMessage,
} from '../../../src/protocol/events.ts';

export type TreeEvent = {
  [E in ServerEvent]: { readonly type: E; readonly payload: ServerPayload<E> };
}[ServerEvent];

const conversationId = 'c1';
const at = '2026-01-05T09:00:00.000Z';

export interface Turn {
  readonly user: WireMessage;
  readonly reply: WireMessage;
  readonly events: TreeEvent[];
}

export class TreeServer {
  readonly messages: WireMessage[] = [];
  leafId: string | null = null;
  #rev = 0;
  readonly #namesAlways: boolean;

  /** @param namesAlways `conversation:updated` comes with every change of the branch, not only with `branch:select`. */
  constructor(namesAlways: boolean) {
    this.#namesAlways = namesAlways;
  }

  find(messageId: string | null): WireMessage | undefined {
    return this.messages.find((message) => message.messageId === messageId);
  }

  get selected(): WireMessage[] {
    const branch: WireMessage[] = [];
    for (let message = this.find(this.leafId); message !== undefined; message = this.find(message.parentId))
      branch.unshift(message);
    return branch;
  }

  get conversation(): WireConversation {
    return {
      ...{ conversationId, title: null, personaId: null, lastReadSeq: 0, preview: null },
      ...{ lastSeq: this.messages.length, rev: this.#rev, selectedLeafId: this.leafId },
      ...{ createdAt: at, updatedAt: at },
    };
  }

  /** @param parentId the companion message that it hangs on; the selected leaf when absent. */
  send(text: string, parentId: string | null = this.leafId, clientMessageId?: string): Turn {
    const user = this.#add({ role: 'user', text, parentId, ...(clientMessageId && { clientMessageId }) });
    const reply = this.#add({ role: 'companion', text: '', parentId: user.messageId, status: 'queued' });
    this.leafId = reply.messageId;
    const older = this.#changeOlder(user);
    const created: TreeEvent = { type: 'message:created', payload: { message: this.find(user.messageId)! } };
    return { user, reply, events: [created, ...older, ...this.#maybeNamed()] };
  }

  edit(messageId: string, text: string, clientMessageId?: string): Turn {
    return this.send(text, this.find(messageId)?.parentId ?? null, clientMessageId);
  }

  regenerate(messageId: string): { readonly reply: WireMessage; readonly events: TreeEvent[] } {
    const { parentId } = this.find(messageId)!;
    const reply = this.#add({ role: 'companion', text: '', parentId, status: 'queued' });
    this.leafId = reply.messageId;
    return { reply, events: [...this.#changeOlder(reply), ...this.#maybeNamed()] };
  }

  select(messageId: string): TreeEvent[] {
    if (this.selected.some((message) => message.messageId === messageId)) return [this.#named()];
    const below = new Set([messageId]);
    for (const message of this.messages) {
      if (message.parentId !== null && below.has(message.parentId)) below.add(message.messageId);
    }
    this.leafId = this.messages.findLast((message) => below.has(message.messageId))!.messageId;
    return [this.#named()];
  }

  start(messageId: string): TreeEvent[] {
    const { generationId, parentId } = this.#change(messageId, { status: 'running' });
    const payload = { generationId: generationId!, conversationId, messageId, replyTo: parentId! };
    return [{ type: 'reply:start', payload: { ...payload, candidates: 1, level: 1 } }];
  }

  end(messageId: string): TreeEvent[] {
    const message = this.#change(messageId, { status: 'done', text: `reply ${messageId}` });
    return [
      {
        type: 'reply:end',
        payload: { generationId: message.generationId!, message, finishReason: 'stop' },
      },
    ];
  }

  react(messageId: string): TreeEvent[] {
    const message = this.#change(messageId, { reaction: { kind: 'up', at } });
    return [{ type: 'message:updated', payload: { message } }];
  }

  open(afterRev: number | null, limit = 4): Value<'conversation:open'> {
    const { selected } = this;
    return {
      conversation: this.conversation,
      messages:
        afterRev === null ? selected.slice(-limit) : this.messages.filter(({ rev }) => rev > afterRev),
      lastSeq: this.messages.length,
      hasMore: afterRev === null && selected.length > limit,
      activeGenerations: this.messages
        .filter(({ status }) => status === 'queued' || status === 'running')
        .map(({ generationId, messageId, parentId, status }) => ({
          ...{ generationId: generationId!, messageId, replyTo: parentId!, status },
          ...{ text: '', level: 1 },
        })),
    };
  }

  #maybeNamed(): TreeEvent[] {
    return this.#namesAlways ? [this.#named()] : [];
  }

  #named(): TreeEvent {
    return { type: 'conversation:updated', payload: { conversation: this.conversation } };
  }

  #add(own: Pick<WireMessage, 'role' | 'text' | 'parentId'> & Partial<WireMessage>): WireMessage {
    const seq = this.messages.length + 1;
    this.#rev += 1;
    const message: WireMessage = {
      ...{ messageId: `m${seq}`, conversationId, seq, rev: this.#rev, status: 'done', createdAt: at },
      ...{ reaction: null, siblings: { index: 0, count: 1 } },
      ...own,
      ...(own.role === 'companion' ? { generationId: `g${seq}` } : {}),
    };
    this.messages.push(message);
    this.#placeSiblings(message);
    return this.find(message.messageId)!;
  }

  #change(messageId: string, patch: Partial<WireMessage>): WireMessage {
    const place = this.messages.findIndex((message) => message.messageId === messageId);
    this.#rev += 1;
    const changed = { ...this.messages[place]!, ...patch, rev: this.#rev };
    this.messages[place] = changed;
    return changed;
  }

  #family({ parentId, role }: WireMessage): WireMessage[] {
    return this.messages.filter((message) => message.parentId === parentId && message.role === role);
  }

  #placeSiblings(newest: WireMessage): void {
    const ids = this.#family(newest).map(({ messageId }) => messageId);
    for (const [index, messageId] of ids.entries()) {
      const [previousId, nextId] = [ids[index - 1], ids[index + 1]];
      const place = this.messages.findIndex((message) => message.messageId === messageId);
      const siblings = {
        ...{ index, count: ids.length },
        ...(previousId && { previousId }),
        ...(nextId && { nextId }),
      };
      this.messages[place] = { ...this.messages[place]!, siblings };
    }
  }

  #changeOlder(newest: WireMessage): TreeEvent[] {
    return this.#family(newest)
      .filter(({ messageId }) => messageId !== newest.messageId)
      .map(({ messageId }) => ({
        type: 'message:updated',
        payload: { message: this.#change(messageId, {}) },
      }));
  }
}
