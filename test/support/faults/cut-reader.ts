/** Somebody who reads one reply through a link that is cut on the way, by the rules of protocol.md and no library but Socket.IO's. */
import { setTimeout as pause } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type {
  Ack,
  ClientToServerEvents,
  ServerToClientEvents,
  Value,
  WireMessage,
} from '../../../src/protocol/events.ts';
import { Pulse } from '../../../src/std/pulse.ts';
import { type FaultProxy, faultKinds } from './fault-proxy.ts';

export interface CutRun {
  /** What the deltas and the resumed texts add up to. */
  readonly text: string;
  /** The message as the end of the reply told it. */
  readonly message: WireMessage;
  /** From the attempt to connect again until all missed text was there, in milliseconds; one for each cut. */
  readonly resumes: readonly number[];
  readonly wrongs: readonly string[];
}

export interface CutPlan {
  /** Below `below`, from a seed. */
  readonly pick: (below: number) => number;
  /** Times that the link fails. */
  readonly cuts: number;
  /** How long nothing happens between the connect and the message. */
  readonly idleMs: number;
}

/** Where the link fails is drawn from these: some times in the bytes of one reply. */
const bytesMax = 10_000;
/** One in so many cuts is one of which nobody is told: they take until a ping is missed. */
const silentOneIn = 25;

type Wire = Socket<ServerToClientEvents, ClientToServerEvents>;

class LinkLost extends Error {}

/** The server has no room at this moment. */
class Refused extends Error {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('refused');
    this.retryAfterMs = retryAfterMs;
  }
}

export async function readThroughCuts(proxy: FaultProxy, token: string, plan: CutPlan): Promise<CutRun> {
  const reader = new CutReader(proxy, token, plan);
  return reader.run();
}

class CutReader {
  readonly #proxy: FaultProxy;
  readonly #token: string;
  readonly #plan: CutPlan;
  readonly #clientMessageId = crypto.randomUUID();
  readonly #wrongs: string[] = [];
  readonly #resumes: number[] = [];
  readonly #changed = new Pulse();
  #text = '';
  #generationId: string | null = null;
  #message: WireMessage | null = null;
  /** Whether something may have been missed. */
  #isBehind = false;

  constructor(proxy: FaultProxy, token: string, plan: CutPlan) {
    this.#proxy = proxy;
    this.#token = token;
    this.#plan = plan;
  }

  async run(): Promise<CutRun> {
    for (let isFirst = true; ; isFirst = false) {
      const socket = this.#open();
      try {
        const began = performance.now();
        await this.#ready(socket);
        if (isFirst) {
          await pause(this.#plan.idleMs);
          this.#failFromNowOn();
        }
        await this.#takeUp(socket);
        if (!isFirst) this.#resumes.push(performance.now() - began);
        while (this.#message === null) {
          if (!socket.connected) throw new LinkLost();
          await this.#changed.wait();
        }
        return { text: this.#text, message: this.#message, resumes: this.#resumes, wrongs: this.#wrongs };
      } catch (error) {
        if (error instanceof Refused) await pause(error.retryAfterMs);
        else if (!(error instanceof LinkLost)) throw error;
        this.#isBehind = true;
      } finally {
        socket.disconnect();
      }
    }
  }

  #failFromNowOn(): void {
    let { cuts, pick } = this.#plan;
    this.#proxy.failEach(() => {
      if (cuts === 0) return null;
      cuts -= 1;
      const kind = pick(silentOneIn) === 0 ? 'black hole' : (faultKinds[pick(3)] ?? 'reset');
      return { kind, afterBytes: pick(bytesMax) };
    });
  }

  #open(): Wire {
    const socket: Wire = io(this.#proxy.url, {
      auth: { token: this.#token },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    socket.on('reply:delta', ({ generationId, offset, text }) => {
      this.#generationId ??= generationId;
      const { length } = this.#text;
      if (offset === length) this.#text += text;
      // What was missed, and what comes until it is known, is in the answer to `generation:resume`.
      else if (!this.#isBehind) this.#wrongs.push(`a delta at ${offset}, where ${length} are known`);
    });
    const end = ({ message }: { message: WireMessage }) => this.#end(message);
    socket.on('reply:end', end).on('reply:fail', end);
    socket.on('disconnect', () => this.#changed.beat());
    return socket;
  }

  #end(message: WireMessage): void {
    if (this.#message !== null) this.#wrongs.push('ended twice');
    this.#message = message;
    this.#changed.beat();
  }

  #ready(socket: Wire): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.once('session:ready', () => resolve());
      socket.once('connect_error', () => reject(new LinkLost()));
      socket.once('disconnect', () => reject(new LinkLost()));
    });
  }

  /** Asks for the reply, or for what was missed of it. */
  async #takeUp(socket: Wire): Promise<void> {
    if (this.#generationId === null) {
      const said = { clientMessageId: this.#clientMessageId, text: 'Tell me something.' };
      const sent = await ask<Value<'message:send'>>(socket, (answer) =>
        socket.emit('message:send', said, answer),
      );
      this.#generationId = sent.generationId;
      if (!sent.duplicate) return;
    }
    const missing = { generationId: this.#generationId, offset: this.#text.length };
    await ask<Value<'generation:resume'>>(
      socket,
      (answer) => socket.emit('generation:resume', missing, answer),
      ({ text, message }) => {
        this.#text = this.#text.slice(0, missing.offset) + text;
        this.#isBehind = false;
        if (message !== undefined && this.#message === null) this.#end(message);
      },
    );
  }
}

/**
 * @param take gets the answer before any later event is heard: the promise is a microtask late
 * @throws LinkLost when the connection goes before the answer comes
 */
function ask<T>(
  socket: Wire,
  emit: (answer: (ack: Ack<T>) => void) => void,
  take: (value: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (!socket.connected) return reject(new LinkLost());
    socket.once('disconnect', () => reject(new LinkLost()));
    emit((ack) => {
      if (!ack.ok && ack.error.code === 'overloaded')
        return reject(new Refused(ack.error.retryAfterMs ?? 1000));
      if (!ack.ok) return reject(new Error(ack.error.code));
      take(ack.value);
      resolve(ack.value);
    });
  });
}
