/** One connected device: which conversations it has joined, and the replies that it follows. */
import type { Socket } from 'socket.io';
import type { Reply } from '../conversation/reply.ts';
import type { ReplyEvent, ReplyReader } from '../conversation/reply-stream.ts';
import type {
  ClientToServerEvents,
  ServerEvent,
  ServerPayload,
  ServerToClientEvents,
} from '../protocol/events.ts';
import type { Clock } from '../std/clock.ts';
import { Backlog } from './backlog.ts';
import { toReplyMessage } from './to-wire.ts';
import { TokenTimer } from './token-timer.ts';
import { Turnstile } from './turnstile.ts';
import { TypingIndicator } from './typing-indicator.ts';
import { UserTyping } from './user-typing.ts';

export type AmitySocket = Socket<ClientToServerEvents, ServerToClientEvents>;

export interface SessionOptions {
  readonly userId: string;
  /** Milliseconds since the epoch: when the token ends. */
  readonly expiresAt: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** All devices of the user. */
  readonly devices: () => readonly Session[];
}

export class Session {
  readonly userId: string;
  /** What it was when the device connected; it may have been deleted since. */
  defaultConversationId: string | null = null;
  readonly #socket: AmitySocket;
  readonly #joined = new Set<string>();
  readonly #readers = new Map<Reply, ReplyReader>();
  /** By generation. */
  readonly #deliveries = new Map<string, Promise<void>>();
  readonly #backlog: Backlog;
  readonly #turnstile: Turnstile;
  readonly #typing: TypingIndicator;
  readonly #userTyping: UserTyping;
  readonly #token: TokenTimer;
  #closed = false;

  constructor(socket: AmitySocket, { userId, expiresAt, clock, devices }: SessionOptions) {
    this.userId = userId;
    this.#socket = socket;
    this.#backlog = new Backlog(socket.conn, clock);
    this.#turnstile = new Turnstile(this.#backlog);
    this.#typing = new TypingIndicator((update) => this.emit('typing:update', update));
    this.#userTyping = new UserTyping((update) => {
      for (const device of devices()) if (device !== this) device.emit('typing:update', update);
    });
    this.#token = new TokenTimer(clock, {
      expiring: (at) => this.emit('session:expiring', { expiresAt: new Date(at).toISOString() }),
      expired: () => socket.disconnect(true),
    });
    this.#token.set(expiresAt);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A device that does not read is cut off instead: it comes back to what it missed. */
  emit<E extends ServerEvent>(event: E, payload: ServerPayload<E>): void {
    if (this.dropIfOverfull()) return;
    (this.#socket.emit as (event: E, payload: ServerPayload<E>) => void)(event, payload);
  }

  /** Whether too much waits for the device to read it; the connection is closed then. */
  dropIfOverfull(): boolean {
    if (!this.#backlog.isOverfull) return false;
    this.#socket.conn.close(true);
    return true;
  }

  /** Works on an event of the device when it is its turn. @throws as Turnstile.pass */
  inTurn(work: () => Promise<void>): Promise<void> {
    return this.#turnstile.pass(work);
  }

  /** It has shown a token that ends then. */
  extend(expiresAt: number): void {
    if (!this.#closed) this.#token.set(expiresAt);
  }

  /** Whether the user is typing on this device, for the others. */
  setTyping(conversationId: string, typing: boolean): void {
    if (!this.#closed) this.#userTyping.set(conversationId, typing);
  }

  /**
   * From now on this device gets the text of the conversation's replies; of running ones what comes next. Call it in the
   * same tick in which their text so far was read, so that nothing falls between the two.
   */
  join(conversationId: string): void {
    this.#joined.add(conversationId);
    for (const [reply, reader] of this.#readers) {
      if (reply.turn.conversationId === conversationId && reader.offset === null)
        reader.seek(reply.stream.text.length);
    }
  }

  /** Follows a reply to its end; text only when its conversation was joined. Again: continues at `offset`. */
  follow(reply: Reply, offset = reply.stream.text.length): void {
    if (this.#closed) return;
    const from = this.#joined.has(reply.turn.conversationId) ? offset : null;
    const running = this.#readers.get(reply);
    if (running !== undefined) {
      running.seek(from);
      return;
    }
    const reader = reply.stream.read(from);
    this.#readers.set(reply, reader);
    const { generationId } = reply.turn;
    const delivery = this.#deliver(reply, reader).finally(() => this.#deliveries.delete(generationId));
    this.#deliveries.set(generationId, delivery);
  }

  /** Resolves when nothing more comes of a reply that has ended. */
  async delivered(generationId: string): Promise<void> {
    await this.#deliveries.get(generationId);
  }

  async #deliver(reply: Reply, reader: ReplyReader): Promise<void> {
    const { conversationId } = reply.turn;
    // One that has ended is handed over at once: there is nothing to wait for.
    const isAwaited = reply.stream.end === null;
    if (isAwaited) this.#typing.begin(conversationId);
    while (!reader.closed) {
      // Text that a slow device has not read yet stays in the reply, where the next delta takes it all.
      await this.#backlog.empty();
      const event = reader.take();
      if (event === null) await reader.wait();
      else this.#emitReply(reply, event);
    }
    this.#readers.delete(reply);
    if (isAwaited) this.#typing.end(conversationId);
  }

  #emitReply(reply: Reply, event: ReplyEvent): void {
    const [name, payload] = toReplyMessage(reply.turn, event);
    this.emit(name, payload);
  }

  /**
   * Hands over the ends of replies that have ended, then closes the connection when all of it is written. To the device it looks
   * like a cut, so that it connects again by itself.
   */
  async dismiss(): Promise<void> {
    await Promise.all(this.#deliveries.values());
    if (this.#closed) return;
    const gone = new Promise<void>((resolve) => this.#socket.once('disconnect', () => resolve()));
    this.#socket.conn.close();
    await gone;
  }

  /** Resolves when none of its events is worked on. */
  idle(): Promise<void> {
    return this.#turnstile.idle();
  }

  /** The device is gone; its replies go on without it. */
  close(): void {
    this.#closed = true;
    this.#turnstile.close();
    for (const reader of this.#readers.values()) reader.close();
    this.#typing.close();
    this.#userTyping[Symbol.dispose]();
    this.#token[Symbol.dispose]();
  }
}
