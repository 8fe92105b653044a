/** One device on a real socket, for tests: calls with acknowledgement, and every server event in order of arrival. */
import { io, type Socket } from 'socket.io-client';
import type { WireError } from '../../src/protocol/errors.ts';
import type {
  Ack,
  ClientEvent,
  ClientToServerEvents,
  Payload,
  ServerEvent,
  ServerPayload,
  ServerToClientEvents,
  Value,
} from '../../src/protocol/events.ts';
import { Pulse } from '../../src/std/pulse.ts';

/** Far beyond what anything here takes; a test that waits for nothing fails with what it saw. */
const patienceMs = 15_000;

export interface SeenEvent<E extends ServerEvent = ServerEvent> {
  readonly event: E;
  readonly payload: ServerPayload<E>;
}

export class WireClient implements AsyncDisposable {
  readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly seen: SeenEvent[] = [];
  readonly #changed = new Pulse();

  private constructor(url: string, auth: Record<string, unknown>) {
    this.socket = io(url, { auth, transports: ['websocket'], reconnection: false, forceNew: true });
    this.socket.onAny((event: ServerEvent, payload: ServerPayload<ServerEvent>) => {
      this.seen.push({ event, payload });
      this.#changed.beat();
    });
    this.socket.on('disconnect', () => this.#changed.beat());
  }

  /** Resolves after session:ready. @throws the data of connect_error. */
  static async open(url: string, token: unknown, more: Record<string, unknown> = {}): Promise<WireClient> {
    const client = new WireClient(url, { ...(token === undefined ? {} : { token }), ...more });
    const refused = new Promise<never>((_resolve, reject) => {
      client.socket.once('connect_error', (error) => reject((error as { data?: WireError }).data ?? error));
    });
    await Promise.race([client.next('session:ready'), refused]);
    return client;
  }

  /** Sends anything at all, as a hostile client would. */
  async raw(event: string, ...args: unknown[]): Promise<Ack<unknown>> {
    const emit = this.socket.timeout(patienceMs).emitWithAck.bind(this.socket.timeout(patienceMs)) as (
      event: string,
      ...args: unknown[]
    ) => Promise<Ack<unknown>>;
    return emit(event, ...args);
  }

  async call<E extends ClientEvent>(event: E, payload: Payload<E>): Promise<Value<E>> {
    const answer = await this.raw(event, payload);
    if (!answer.ok)
      throw Object.assign(new Error(`${event}: ${answer.error.message}`), { code: answer.error.code });
    return answer.value as Value<E>;
  }

  /** The code with which something is refused; 'accepted' when it is not. */
  async codeOf(event: string, ...args: unknown[]): Promise<string> {
    const answer = await this.raw(event, ...args);
    return answer.ok ? 'accepted' : answer.error.code;
  }

  say(text: string, more: Partial<Payload<'message:send'>> = {}): Promise<Value<'message:send'>> {
    return this.call('message:send', { clientMessageId: crypto.randomUUID(), text, ...more });
  }

  edit(messageId: string, text: string): Promise<Value<'message:edit'>> {
    return this.call('message:edit', { clientMessageId: crypto.randomUUID(), messageId, text });
  }

  regenerate(messageId: string): Promise<Value<'reply:regenerate'>> {
    return this.call('reply:regenerate', { clientRequestId: crypto.randomUUID(), messageId });
  }

  /** Says something and waits for the reply: both as they are stored. */
  async talk(text: string, more: Partial<Payload<'message:send'>> = {}) {
    const sent = await this.say(text, more);
    return { ...sent, reply: (await this.end(sent.generationId)).message };
  }

  /** The first event of this kind that fits, seen already or to come. */
  async next<E extends ServerEvent>(
    event: E,
    where: (payload: ServerPayload<E>) => boolean = () => true,
  ): Promise<ServerPayload<E>> {
    const deadline = AbortSignal.timeout(patienceMs);
    const expired = new Promise<never>((_resolve, reject) => {
      deadline.addEventListener('abort', () =>
        reject(new Error(`no ${event}; saw ${this.seen.map((one) => one.event).join(' ')}`)),
      );
    });
    expired.catch(() => undefined);
    for (let index = 0; ; ) {
      for (; index < this.seen.length; index++) {
        const one = this.seen[index] as SeenEvent<E>;
        if (one.event === event && where(one.payload)) return one.payload;
      }
      await Promise.race([this.#changed.wait(), expired]);
    }
  }

  all<E extends ServerEvent>(event: E): ServerPayload<E>[] {
    return this.seen.filter((one) => one.event === event).map((one) => (one as SeenEvent<E>).payload);
  }

  end(generationId: string): Promise<ServerPayload<'reply:end'>> {
    return this.next('reply:end', (payload) => payload.generationId === generationId);
  }

  /** The deltas of a reply, put together. @throws at a hole. */
  textOf(generationId: string): string {
    let text = '';
    for (const delta of this.all('reply:delta')) {
      if (delta.generationId !== generationId) continue;
      if (delta.offset !== text.length) throw new Error(`hole: have ${text.length}, got ${delta.offset}`);
      text += delta.text;
    }
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.disconnect();
  }
}

/** What `openGuest` needs of a server in another process. */
export const guestsAt = (url: string) => ({
  url,
  guest: async () =>
    (await (await fetch(`${url}/v1/guests`, { method: 'POST' })).json()) as { userId: string; token: string },
});

/** A new guest on a device. */
export async function openGuest(server: {
  url: string;
  guest(): Promise<{ token: string }>;
}): Promise<WireClient & { token: string }> {
  const { token } = await server.guest();
  return Object.assign(await WireClient.open(server.url, token), { token });
}

/** What a server has counted of each kind of `amity_signals_total`. */
export async function countedSignals(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(/^amity_signals_total\{kind="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, kind, count]) => [kind, Number(count)]));
}
