/**
 * Somebody who talks through crashes as protocol.md asks clients to: what was not answered is asked again under the same id, and
 * replies are resumed where their text has come to. Remembers all that was promised and seen.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type {
  Ack,
  ClientEvent,
  ClientToServerEvents,
  Payload,
  ServerToClientEvents,
  Value,
} from '../../../src/protocol/events.ts';
import { Pulse } from '../../../src/std/pulse.ts';
import type { ClientHistory, ClientRequest, SeenReply } from './history.ts';

/** What the killer may count. */
export type Moment = 'asked' | 'answered' | 'delta' | 'written';

export interface World {
  /** Resolves with the address when a server listens. */
  up(): Promise<string>;
  /** Whether people should come to an end. */
  isOver(): boolean;
  happened(moment: Moment): void;
  /** Whether the store may be too busy to answer in time: then a person asks again, as protocol.md asks of clients. */
  readonly storeMayRefuse: boolean;
  /** Below `below`, from the seed. */
  pick(below: number): number;
}

/** Longer than anything takes that still works. */
const patienceMs = 30_000;

class LinkLost extends Error {}

interface Asked extends ClientRequest {
  readonly payload: object;
  isSettled: boolean;
}

export class Person {
  readonly #world: World;
  readonly #token: string;
  readonly #requests: Asked[] = [];
  readonly #replies = new Map<string, SeenReply>();
  readonly #wrongs: string[] = [];
  readonly #changed = new Pulse();
  /** Own messages and ended replies that may be edited and answered anew. */
  readonly #own: string[] = [];
  readonly #answers: string[] = [];
  #userId = '';
  #conversationId = '';
  #socket: Socket<ServerToClientEvents, ClientToServerEvents> | null = null;
  #said = 0;
  #refusals = 0;
  #slowestEndMs = 0;

  constructor(world: World, token: string) {
    this.#world = world;
    this.#token = token;
  }

  get history(): ClientHistory {
    return {
      userId: this.#userId,
      conversationId: this.#conversationId,
      requests: this.#requests,
      replies: this.#replies,
      wrongs: this.#wrongs,
    };
  }

  /** Figures for a report. */
  get counts() {
    const answered = this.#requests.filter(({ answer }) => answer !== null).length;
    const ends = [...this.#replies.values()].map(({ end }) => end?.status ?? 'unfinished');
    return { answered, refused: this.#refusals, ends, slowestEndMs: this.#slowestEndMs };
  }

  /** Talks until the world is over, then sees everything to its end. */
  async live(): Promise<void> {
    for (;;) {
      try {
        await this.#connect();
        await this.#catchUp();
        while (!this.#world.isOver()) await this.#act();
        for (const generationId of this.#replies.keys()) await this.#endOf(generationId);
        this.#socket?.disconnect();
        return;
      } catch (error) {
        if (!(error instanceof LinkLost)) throw error;
      }
    }
  }

  async #connect(): Promise<void> {
    const url = await this.#world.up();
    const auth = { token: this.#token };
    const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url, {
      auth,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    this.#socket = socket;
    this.#listen(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('session:ready', ({ userId, conversationId }) => {
        this.#userId = userId;
        this.#conversationId = conversationId;
        resolve();
      });
      socket.once('connect_error', () => reject(new LinkLost()));
      socket.once('disconnect', () => reject(new LinkLost()));
    });
  }

  #listen(socket: Socket<ServerToClientEvents, ClientToServerEvents>): void {
    socket.on('reply:start', ({ conversationId, generationId }) => {
      if (conversationId !== this.#conversationId) this.#wrongs.push(`foreign reply ${generationId}`);
    });
    socket.on('reply:delta', ({ generationId, offset, text }) => {
      const seen = this.#replyOf(generationId);
      if (offset !== seen.text.length) {
        this.#wrongs.push(`${generationId}: delta at ${offset}, have ${seen.text.length}`);
      }
      seen.text += text;
      this.#world.happened('delta');
    });
    socket.on('reply:end', ({ generationId, message }) => this.#end(generationId, message));
    socket.on('reply:fail', ({ generationId, message }) => this.#end(generationId, message));
    socket.on('disconnect', () => this.#changed.beat());
  }

  #end(
    generationId: string,
    { status, text, messageId }: { status: string; text: string; messageId: string },
  ) {
    const seen = this.#replyOf(generationId);
    if (seen.end !== null) this.#wrongs.push(`${generationId} ended twice`);
    if (seen.text !== text) this.#wrongs.push(`${generationId}: its deltas do not add up to its text`);
    seen.end = { status, text };
    if (status === 'done') this.#answers.push(messageId);
    this.#changed.beat();
  }

  #replyOf(generationId: string): SeenReply {
    const seen = this.#replies.get(generationId) ?? { text: '', end: null };
    this.#replies.set(generationId, seen);
    return seen;
  }

  /** After a crash: the same questions again, and what is unfinished from where it was. */
  async #catchUp(): Promise<void> {
    for (const request of this.#requests) if (!request.isSettled) await this.#ask(request);
    for (const [generationId, seen] of this.#replies) {
      if (seen.end !== null) continue;
      const offset = seen.text.length;
      const answer = await this.#untilStored(() => this.#call('generation:resume', { generationId, offset }));
      if (!answer.ok) {
        this.#wrongs.push(`${generationId} cannot be resumed: ${answer.error.code}`);
        seen.end = { status: answer.error.code, text: seen.text };
        continue;
      }
      const { text, message } = answer.value;
      const known = seen.text;
      seen.text = known.slice(0, offset) + text;
      // What came live between the question and the answer, after a repeated request, is part of the answer.
      if (!seen.text.startsWith(known)) this.#wrongs.push(`${generationId}: resumed with another text`);
      if (this.#replyOf(generationId).end !== null) continue;
      if (message !== undefined) this.#end(generationId, message);
    }
  }

  async #act(): Promise<void> {
    const { pick } = this.#world;
    const kind = pick(10);
    const answered = this.#answers.at(-1);
    const own = this.#own.at(-1);
    if (kind === 0 && own !== undefined) {
      await this.#request('message:edit', { messageId: own }, this.#words('edited'));
    } else if (kind === 1 && answered !== undefined) {
      await this.#request('reply:regenerate', { messageId: answered }, null);
    } else if (kind === 2 && answered !== undefined) {
      await this.#choose(answered);
    } else await this.#request('message:send', {}, this.#words('said'));
    const generationId = this.#requests.at(-1)?.answer?.generationId;
    if (generationId === undefined) return;
    if (kind === 3) await this.#call('generation:cancel', { generationId });
    await this.#endOf(generationId);
  }

  #words(what: string): string {
    return `${what} ${this.#token.slice(-12)} ${this.#said++}`;
  }

  async #request(event: ClientRequest['event'], own: object, text: string | null): Promise<void> {
    const clientId = crypto.randomUUID();
    const id = event === 'reply:regenerate' ? { clientRequestId: clientId } : { clientMessageId: clientId };
    const payload = { ...own, ...id, ...(text === null ? {} : { text }) };
    const request: Asked = { clientId, event, text, payload, answer: null, isSettled: false };
    this.#requests.push(request);
    await this.#ask(request);
  }

  async #ask(request: Asked): Promise<void> {
    const answer = await this.#untilStored(() => {
      this.#world.happened('asked');
      return this.#call(request.event, request.payload as never);
    });
    request.isSettled = true;
    if (!answer.ok) {
      const { code, retryAfterMs } = answer.error;
      this.#refusals++;
      if (code !== 'overloaded') this.#wrongs.push(`${request.event} was refused: ${code}`);
      // As protocol.md asks of clients.
      await pause(retryAfterMs ?? 0);
      return;
    }
    const value = answer.value as { messageId?: string; generationId: string };
    const messageId = value.messageId ?? null;
    request.answer = { messageId, generationId: value.generationId };
    if (messageId !== null) this.#own.push(messageId);
    this.#replyOf(value.generationId);
    this.#world.happened('answered');
  }

  /** The answer to the last call, after those that the store was too busy for. */
  async #untilStored<T>(call: () => Promise<Ack<T>>): Promise<Ack<T>> {
    const since = performance.now();
    for (;;) {
      const answer = await call();
      const isTooBusy = !answer.ok && answer.error.code === 'store_unavailable' && this.#world.storeMayRefuse;
      if (!isTooBusy || performance.now() - since > patienceMs) return answer;
      this.#refusals++;
      await pause(answer.error.retryAfterMs ?? 0);
    }
  }

  async #choose(messageId: string): Promise<void> {
    const answer = await this.#call('reply:alternatives', { messageId });
    const other = answer.ok ? answer.value.alternatives.find(({ shown }) => !shown) : undefined;
    if (other !== undefined) await this.#call('reply:choose', { messageId, candidateId: other.candidateId });
  }

  /** @throws LinkLost when the connection goes before the answer comes */
  async #call<E extends ClientEvent>(event: E, payload: Payload<E>): Promise<Ack<Value<E>>> {
    const socket = this.#socket;
    if (socket === null || !socket.connected) throw new LinkLost();
    const lost = new Promise<never>((_resolve, reject) => {
      socket.once('disconnect', () => reject(new LinkLost()));
    });
    lost.catch(() => undefined);
    const emit = socket.emitWithAck.bind(socket) as (event: E, payload: Payload<E>) => Promise<Ack<Value<E>>>;
    return await Promise.race([emit(event, payload), lost, expire(`no answer to ${event}`)]);
  }

  async #endOf(generationId: string): Promise<void> {
    const began = performance.now();
    const deadline = expire(`no end of ${generationId}`);
    while (this.#replyOf(generationId).end === null) {
      if (this.#socket?.connected !== true) throw new LinkLost();
      await Promise.race([this.#changed.wait(), deadline]);
    }
    this.#slowestEndMs = Math.max(this.#slowestEndMs, performance.now() - began);
  }
}

function expire(what: string): Promise<never> {
  const expired = new Promise<never>((_resolve, reject) => {
    AbortSignal.timeout(patienceMs).addEventListener('abort', () => reject(new Error(what)));
  });
  expired.catch(() => undefined);
  return expired;
}
