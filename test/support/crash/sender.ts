/**
 * Somebody who only sends, without waiting for replies, and each message four times at once, as an impatient link may deliver it: also
 * through crashes, until all four are answered alike.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { Ack, ClientToServerEvents, ServerToClientEvents, Value } from '../../../src/protocol/events.ts';
import type { ClientHistory, ClientRequest } from './history.ts';
import type { World } from './person.ts';

type Wire = Socket<ServerToClientEvents, ClientToServerEvents>;
type Answer = Ack<Value<'message:send'>> | null;

const copies = 4;
const patienceMs = 30_000;
/** After a connection that was refused. */
const reconnectMs = 50;

/** When something was asked that was refused, and when the sender knew: milliseconds of the process. */
export interface Refusal {
  readonly asked: number;
  readonly told: number;
}

/** Where senders are. */
export interface SenderWorld extends Pick<World, 'up' | 'isOver'> {
  /** Told of each message that all copies of are answered. */
  readonly answered?: () => void;
}

export class Sender {
  readonly #world: SenderWorld;
  readonly #token: string;
  readonly #requests: ClientRequest[] = [];
  readonly #wrongs: string[] = [];
  #userId = '';
  #conversationId = '';
  #socket: Wire | null = null;
  readonly #refusals: Refusal[] = [];

  constructor(world: SenderWorld, token: string) {
    this.#world = world;
    this.#token = token;
  }

  get history(): ClientHistory {
    return {
      userId: this.#userId,
      conversationId: this.#conversationId,
      requests: this.#requests,
      replies: new Map(),
      wrongs: this.#wrongs,
    };
  }

  get counts() {
    const answered = this.#requests.filter(({ answer }) => answer !== null).length;
    return { answered, refused: this.#refusals.length, ends: [] as readonly string[], slowestEndMs: 0 };
  }

  get refusals(): readonly Refusal[] {
    return this.#refusals;
  }

  async live(): Promise<void> {
    for (let said = 0; !this.#world.isOver(); said += 1) {
      const clientId = crypto.randomUUID();
      const text = `sent ${this.#token.slice(-12)} ${said}`;
      const request: ClientRequest = { clientId, event: 'message:send', text, answer: null };
      this.#requests.push(request);
      await this.#sendUntilAnswered(request, { clientMessageId: clientId, text });
    }
    this.#socket?.disconnect();
  }

  async #sendUntilAnswered(
    request: ClientRequest,
    payload: { readonly clientMessageId: string; readonly text: string },
  ): Promise<void> {
    const given = new Set<string>();
    let fresh = 0;
    for (;;) {
      const socket = await this.#connected();
      const began = performance.now();
      const answers = await Promise.all(Array.from({ length: copies }, () => ask(socket, payload)));
      for (const answer of answers) {
        if (answer === null || !answer.ok) continue;
        const { messageId, generationId, duplicate } = answer.value;
        given.add(`${messageId} ${generationId}`);
        fresh += duplicate ? 0 : 1;
        request.answer = { messageId, generationId };
      }
      if (given.size > 1) this.#wrongs.push(`${payload.text}: ${given.size} different answers`);
      if (fresh > 1) this.#wrongs.push(`${payload.text}: taken as new ${fresh} times`);
      if (answers.every((answer) => answer?.ok)) return this.#world.answered?.();
      const refusal = answers.find((answer) => answer?.ok === false);
      if (refusal?.ok === false) {
        this.#refusals.push({ asked: began, told: performance.now() });
        if (!refusal.error.retryable) this.#wrongs.push(`${payload.text}: ${refusal.error.code}`);
        await pause(Math.min(refusal.error.retryAfterMs ?? 50, 500));
      }
    }
  }

  async #connected(): Promise<Wire> {
    for (;;) {
      if (this.#socket?.connected) return this.#socket;
      this.#socket?.disconnect();
      const url = await this.#world.up();
      const socket: Wire = io(url, {
        auth: { token: this.#token },
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
      });
      this.#socket = socket;
      const isReady = await new Promise<boolean>((resolve) => {
        socket.once('session:ready', ({ userId, conversationId }) => {
          this.#userId = userId;
          this.#conversationId = conversationId;
          resolve(true);
        });
        socket.once('connect_error', () => resolve(false));
        socket.once('disconnect', () => resolve(false));
      });
      if (isReady) return socket;
      await pause(reconnectMs);
    }
  }
}

/** Null when the connection went before the answer came. */
function ask(socket: Wire, payload: { clientMessageId: string; text: string }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${payload.text}`)), patienceMs);
    const settle = (answer: Answer) => {
      clearTimeout(timer);
      socket.off('disconnect', lost);
      resolve(answer);
    };
    const lost = () => settle(null);
    if (!socket.connected) return settle(null);
    socket.on('disconnect', lost);
    socket.emit('message:send', payload, settle);
  });
}
