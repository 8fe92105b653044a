/** Those who keep the server of a soak busy, each in a manner of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import { createUniform } from '../../models/tiny/random.ts';
import type { Ack, ServerPayload } from '../../src/protocol/events.ts';
import { openPerson, type Person } from '../load/person.ts';

export interface Setting {
  readonly url: string;
  readonly lines: readonly string[];
  readonly seed: number;
  /** By performance.now(). */
  readonly until: number;
}

export interface Deeds {
  turns: number;
  /** Times that the server was too busy, which is its right. */
  refusals: number;
  readonly errors: string[];
}

/** Acts until the time is over. */
export type Actor = (setting: Setting) => Promise<Deeds>;

const patienceMs = 90_000;
const turnsOfAVisit = 12;

/** Talks for some turns and goes; somebody new comes. */
export const passerBy = visiting(async (visit) => {
  await visit.send();
});

/** Stops each reply when it has begun. */
export const stopper = visiting(async (visit) => {
  await visit.send({ stops: true });
});

/** Asks for another reply each time, and reacts to it. */
export const asker = visiting(async (visit) => {
  const first = await visit.send();
  if (first === null) return;
  const second = await visit.regenerate(first.message.messageId);
  if (second !== null) await visit.react(second.message.messageId);
});

/** A program at the completions endpoint, streamed and not, with one and three choices. */
export const programmer: Actor = async ({ url, lines, seed, until }) => {
  const random = createUniform(seed);
  const deeds: Deeds = { turns: 0, refusals: 0, errors: [] };
  while (performance.now() < until) {
    const messages = Array.from({ length: 1 + 2 * Math.floor(random() * 4) }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: lines[Math.floor(random() * lines.length)],
    }));
    const stream = random() < 0.5;
    const body = JSON.stringify({
      model: 'default',
      messages,
      stream,
      n: random() < 0.3 ? 3 : 1,
      max_tokens: 40,
    });
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const text = await answer.text();
    if (answer.status === 429 || answer.status === 503) deeds.refusals += 1;
    else if (!answer.ok) deeds.errors.push(`${answer.status}: ${text.slice(0, 200)}`);
    else deeds.turns += 1;
    await pause(1000 + random() * 4000);
  }
  return deeds;
};

type Ending = ServerPayload<'reply:end'>;

interface Visit {
  /** Null where it was refused, or failed. */
  send(options?: { readonly stops: boolean }): Promise<Ending | null>;
  regenerate(messageId: string): Promise<Ending | null>;
  react(messageId: string): Promise<void>;
}

function visiting(turn: (visit: Visit) => Promise<void>): Actor {
  return async ({ url, lines, seed, until }) => {
    const random = createUniform(seed);
    const deeds: Deeds = { turns: 0, refusals: 0, errors: [] };
    const line = () => lines[Math.floor(random() * lines.length)] ?? '';
    while (performance.now() < until) {
      using person = await openPerson(url);
      const visit = createVisit(person, { line, deeds });
      for (let count = 0; count < turnsOfAVisit && performance.now() < until; count++) {
        await turn(visit).catch((error: Error) => deeds.errors.push(error.message));
        deeds.turns += 1;
        await pause(500 + random() * 3500);
      }
    }
    return deeds;
  };
}

function createVisit(
  { socket }: Person,
  { line, deeds }: { readonly line: () => string; readonly deeds: Deeds },
): Visit {
  const ask = socket.timeout(patienceMs);
  const afterwards = async (answer: Ack<unknown>, ending: Promise<Ending | null>) => {
    if (answer.ok) return await ending;
    if (answer.error.code === 'overloaded') deeds.refusals += 1;
    else deeds.errors.push(answer.error.code);
    return null;
  };
  return {
    async send({ stops = false } = { stops: false }) {
      using reply = followReply(socket);
      if (stops) {
        socket.once('reply:delta', ({ generationId }) => {
          ask.emitWithAck('generation:cancel', { generationId }).catch(() => undefined);
        });
      }
      const message = { clientMessageId: crypto.randomUUID(), text: line() };
      return await afterwards(await ask.emitWithAck('message:send', message), reply.ending);
    },
    async regenerate(messageId) {
      using reply = followReply(socket);
      const request = { clientRequestId: crypto.randomUUID(), messageId };
      return await afterwards(await ask.emitWithAck('reply:regenerate', request), reply.ending);
    },
    async react(messageId) {
      const answer = await ask.emitWithAck('reaction:set', { messageId, kind: 'up' });
      if (!answer.ok) deeds.errors.push(answer.error.code);
    },
  };
}

/** The end of the reply that comes next; null where it fails, as it may when its worker has too much to do. */
function followReply(socket: Person['socket']): Disposable & { readonly ending: Promise<Ending | null> } {
  let resolve: (ending: Ending | null) => void = () => {};
  let timer: NodeJS.Timeout | undefined;
  const ending = new Promise<Ending | null>((onEnd, onTimeout) => {
    resolve = onEnd;
    timer = setTimeout(() => onTimeout(new Error(`no end within ${patienceMs} ms`)), patienceMs);
  });
  ending.catch(() => undefined);
  socket.once('reply:end', resolve);
  socket.once('reply:fail', () => resolve(null));
  return {
    ending,
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const event of ['reply:end', 'reply:fail', 'reply:delta'] as const) socket.off(event);
      resolve(null);
    },
  };
}
