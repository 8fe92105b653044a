/**
 * A server that speaks the protocol over a real Socket.IO connection, with one conversation in memory and no model: the
 * test says when a reply starts, what it says, which delta gets lost and when the connection breaks.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type { WireError } from '../../../src/protocol/errors.ts';
import type {
  Ack,
  ClientToServerEvents,
  ServerEvent,
  ServerPayload,
  ServerToClientEvents,
  Value,
  WireMessage,
} from '../../../src/protocol/events.ts';

const startedAt = Date.UTC(2026, 0, 5, 9);
const conversationId = 'c1';

type Sockets = Server<ClientToServerEvents, ServerToClientEvents>;
type Wire = Socket<ClientToServerEvents, ServerToClientEvents>;

export interface Reply {
  readonly generationId: string;
  readonly message: WireMessage;
  /** Text sent or lost so far. */
  text: string;
}

export class WireDouble implements AsyncDisposable {
  readonly url: string;
  readonly messages: WireMessage[] = [];
  readonly replies: Reply[] = [];
  /** Payloads in the order in which they came, with the name of their event. */
  readonly received: { event: string; payload: unknown }[] = [];
  readonly handshakes: unknown[] = [];
  /** The next handshakes are refused with these, one each. */
  readonly refusals: WireError[] = [];
  /** Events with these names are refused once. */
  readonly failOnce = new Map<string, WireError>();
  /** Events with these names are carried out once and not answered. */
  readonly silentOnce = new Set<string>();
  /** Events with these names get lost once. */
  readonly dropOnce = new Set<string>();
  pageSize = 50;
  /** The end of the selected branch. */
  leafId: string | null = null;
  /** By messageId: what `reply:alternatives` answers. */
  readonly alternatives = new Map<string, Value<'reply:alternatives'>['alternatives']>();
  /** `conversation:open` with `afterRev` answers that there is more than it tells. */
  missedTooMuch = false;
  #rev = 0;
  /** Older siblings of what a request has made: told after its answer. */
  readonly #due: WireMessage[] = [];
  /** Generations by clientRequestId. */
  readonly #requests = new Map<string, string>();
  readonly #io: Sockets;
  readonly #http: ReturnType<typeof createServer>;

  private constructor(http: ReturnType<typeof createServer>, io: Sockets) {
    this.#http = http;
    this.#io = io;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    io.use((socket, next) => {
      this.handshakes.push(socket.handshake.auth);
      const refusal = this.refusals.shift();
      next(refusal && Object.assign(new Error(refusal.message), { data: refusal }));
    });
    io.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<WireDouble> {
    const http = createServer();
    const io: Sockets = new Server(http, { transports: ['websocket'] });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new WireDouble(http, io);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#io.close();
    this.#http.close();
  }

  /** The selected branch, oldest first. */
  get selected(): WireMessage[] {
    const branch: WireMessage[] = [];
    for (let id = this.leafId; id !== null; id = branch[0]?.parentId ?? null) branch.unshift(this.#find(id));
    return branch;
  }

  /** Puts a past message in and selects it, without telling anyone. */
  addMessage(role: WireMessage['role'], text: string, parentId = this.leafId): WireMessage {
    const seq = this.messages.length + 1;
    this.#rev += 1;
    const message: WireMessage = {
      messageId: `m${seq}`,
      conversationId,
      seq,
      rev: this.#rev,
      role,
      text,
      status: 'done',
      createdAt: new Date(startedAt + seq * 60_000).toISOString(),
      parentId,
      reaction: null,
      siblings: { index: 0, count: 1 },
    };
    this.messages.push(message);
    this.leafId = message.messageId;
    return this.#placeSiblings(message);
  }

  /** Another device selects the branch that ends in this message. */
  select(messageId: string): void {
    this.leafId = messageId;
    this.emit('conversation:updated', { conversation: this.#conversation() });
  }

  emit<E extends ServerEvent>(event: E, payload: ServerPayload<E>): void {
    (this.#io.emit as (event: string, payload: unknown) => void).call(this.#io, event, payload);
  }

  startReply(reply: Reply): void {
    const { messageId, parentId } = reply.message;
    this.#change(messageId, { status: 'running' });
    this.emit('reply:start', {
      generationId: reply.generationId,
      conversationId,
      messageId,
      replyTo: parentId ?? '',
      candidates: 1,
      level: 1,
    });
  }

  /** One delta; with `isLost` the reply grows without a word of it. */
  say(reply: Reply, text: string, isLost = false): void {
    const offset = reply.text.length;
    reply.text += text;
    if (!isLost) this.emit('reply:delta', { generationId: reply.generationId, offset, text });
  }

  endReply(reply: Reply, error?: WireError): void {
    const ending =
      error === undefined
        ? ({ status: 'done', finishReason: 'stop' } as const)
        : { status: 'failed' as const };
    const message = this.#change(reply.message.messageId, { text: reply.text, ...ending });
    const { generationId } = reply;
    if (error === undefined) this.emit('reply:end', { generationId, message, finishReason: 'stop' });
    else
      this.emit('reply:fail', {
        generationId,
        message,
        error: error as ServerPayload<'reply:fail'>['error'],
      });
  }

  /** Cuts every connection the hard way, as a lost network does. */
  cut(): void {
    for (const socket of this.#io.sockets.sockets.values()) socket.conn.close();
  }

  #find(id: string): WireMessage {
    return this.messages.find(({ messageId }) => messageId === id)!;
  }

  /** @returns the newest, with its place. */
  #placeSiblings(newest: WireMessage): WireMessage {
    const family = this.messages.filter(
      ({ parentId, role }) => parentId === newest.parentId && role === newest.role,
    );
    for (const [index, message] of family.entries()) {
      const [previousId, nextId] = [family[index - 1]?.messageId, family[index + 1]?.messageId];
      Object.assign(message, {
        siblings: {
          index,
          count: family.length,
          ...(previousId && { previousId }),
          ...(nextId && { nextId }),
        },
      });
      if (message !== newest) this.#due.push(this.#change(message.messageId, {}));
    }
    return newest;
  }

  #change(messageId: string, patch: Partial<WireMessage>): WireMessage {
    const at = this.messages.findIndex((message) => message.messageId === messageId);
    this.#rev += 1;
    const changed = { ...this.messages[at]!, ...patch, rev: this.#rev };
    this.messages[at] = changed;
    return changed;
  }

  #serve(socket: Wire): void {
    const answers: { [E in keyof ClientToServerEvents]?: (payload: never) => unknown } = {
      'conversation:open': (payload: { afterRev?: number }) => this.#open(payload.afterRev),
      'history:page': ({ beforeSeq }: { beforeSeq: number }) => this.#page(beforeSeq),
      'message:send': (payload: { clientMessageId: string; text: string }) => this.#store(payload),
      'message:edit': (payload: { clientMessageId: string; messageId: string; text: string }) =>
        this.#store({ ...payload, parentId: this.#find(payload.messageId).parentId }),
      'reply:regenerate': (payload: { clientRequestId: string; messageId: string }) =>
        this.#regenerate(payload),
      'reply:alternatives': ({ messageId }: { messageId: string }) => ({
        alternatives: this.alternatives.get(messageId) ?? [],
      }),
      'reply:choose': ({ messageId, candidateId }: { messageId: string; candidateId: string }) => {
        const chosen = this.alternatives.get(messageId)?.find((one) => one.candidateId === candidateId);
        return { message: this.#change(messageId, { text: chosen?.text ?? '', reaction: null }) };
      },
      'branch:select': ({ messageId }: { messageId: string }) => {
        this.leafId = messageId;
        const { conversation, messages } = this.#open(undefined);
        return { conversation, messages };
      },
      'generation:resume': (payload: { generationId: string; offset: number }) => this.#resume(payload),
      'generation:cancel': () => ({ status: 'cancelled' }),
      'reaction:set': ({ messageId, kind }: { messageId: string; kind: 'up' }) => {
        const reaction = { kind, at: new Date(startedAt).toISOString() };
        this.#change(messageId, { reaction });
        return { messageId, reaction };
      },
      'reaction:clear': ({ messageId }: { messageId: string }) => {
        this.#change(messageId, { reaction: null });
        return { messageId, reaction: null };
      },
    };
    socket.onAny((event: keyof ClientToServerEvents, ...args: unknown[]) => {
      const [payload, ack] = args as [never, (answer: Ack<unknown>) => void];
      this.received.push({ event, payload });
      if (this.dropOnce.delete(event)) return;
      const error = this.failOnce.get(event);
      if (this.failOnce.delete(event) && error !== undefined) return ack({ ok: false, error });
      const before = this.messages.length;
      const value = answers[event]?.(payload);
      if (!this.silentOnce.delete(event)) ack({ ok: true, value });
      const stored = this.messages[before];
      if (stored?.role === 'user') this.emit('message:created', { message: stored });
      for (const message of this.#due.splice(0)) this.emit('message:updated', { message });
    });
    socket.emit('session:ready', {
      protocolVersion: 1,
      userId: 'u1',
      conversationId,
      lastSeq: this.messages.length,
      rev: this.#rev,
      serverTime: new Date(startedAt).toISOString(),
      limits: { textBytesMax: 8000 },
    });
  }

  #conversation(): Value<'conversation:open'>['conversation'] {
    const at = new Date(startedAt).toISOString();
    return {
      ...{ conversationId, title: null, personaId: null, lastReadSeq: 0, preview: null },
      ...{ lastSeq: this.messages.length, rev: this.#rev, selectedLeafId: this.leafId },
      ...{ createdAt: at, updatedAt: at },
    };
  }

  #open(afterRev: number | undefined): Value<'conversation:open'> {
    const { selected } = this;
    const newest = selected.slice(-this.pageSize);
    return {
      conversation: this.#conversation(),
      messages: afterRev === undefined ? newest : this.messages.filter(({ rev }) => rev > afterRev),
      lastSeq: this.messages.length,
      hasMore: afterRev === undefined ? newest.length < selected.length : this.missedTooMuch,
      activeGenerations: this.replies.flatMap(({ generationId, message: { messageId, parentId }, text }) => {
        const { status } = this.messages.find((message) => message.messageId === messageId)!;
        const isActive = status === 'queued' || status === 'running';
        return isActive ? [{ generationId, messageId, replyTo: parentId ?? '', text, status, level: 1 }] : [];
      }),
    };
  }

  #page(beforeSeq: number): Value<'history:page'> {
    const older = this.selected.filter(({ seq }) => seq < beforeSeq);
    return { messages: older.slice(-this.pageSize), hasMore: older.length > this.pageSize };
  }

  #addReply(asked: WireMessage): Reply {
    const { messageId } = this.addMessage('companion', '', asked.messageId);
    const generationId = `g${this.replies.length + 1}`;
    const message = this.#change(messageId, { status: 'queued', generationId });
    const reply = { generationId, message, text: '' };
    this.replies.push(reply);
    return reply;
  }

  #regenerate(request: { clientRequestId: string; messageId: string }): Value<'reply:regenerate'> {
    const known = this.#requests.get(request.clientRequestId);
    const asked = this.#find(this.#find(request.messageId).parentId ?? '');
    const generationId = known ?? this.#addReply(asked).generationId;
    this.#requests.set(request.clientRequestId, generationId);
    return { generationId, duplicate: known !== undefined };
  }

  #store(request: {
    clientMessageId: string;
    text: string;
    parentId?: string | null;
  }): Value<'message:send'> {
    const { clientMessageId, text, parentId } = request;
    const known = this.messages.find((message) => message.clientMessageId === clientMessageId);
    const asked = known ?? this.addMessage('user', text, parentId);
    if (known === undefined) {
      Object.assign(asked, { clientMessageId });
      this.#addReply(asked);
    }
    const reply = this.replies.find(({ message }) => message.parentId === asked.messageId)!;
    const { messageId, seq } = asked;
    return {
      messageId,
      conversationId,
      seq,
      generationId: reply.generationId,
      duplicate: known !== undefined,
    };
  }

  #resume({ generationId, offset }: { generationId: string; offset: number }): Value<'generation:resume'> {
    const reply = this.replies.find((one) => one.generationId === generationId)!;
    const message = this.messages.find(({ messageId }) => messageId === reply.message.messageId)!;
    const isEnded = message.status !== 'queued' && message.status !== 'running';
    return {
      text: reply.text.slice(offset),
      offset,
      status: message.status,
      ...(isEnded ? { message } : {}),
    };
  }
}
