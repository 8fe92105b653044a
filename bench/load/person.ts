/** Somebody who says one thing, on a socket that was opened beforehand, and what came of it. */
import { io, type Socket } from 'socket.io-client';
import type { Ack, ClientToServerEvents, ServerToClientEvents, Value } from '../../src/protocol/events.ts';
import { guestsAt } from '../../test/support/wire-client.ts';

/** Milliseconds are counted from the moment for which it was scheduled, also where this process came to it late. */
export interface Attempt {
  /** Seconds from the beginning of the measurement. */
  readonly scheduledAt: number;
  readonly lateMs: number;
  /** Until the acknowledgement or refusal; NaN when there was none. */
  ackMs: number;
  /** Code of the refusal. */
  refused: string | null;
  retryAfterMs: number | null;
  firstTextMs: number | null;
  endMs: number | null;
  /** Finish reason, or `failed: <code>`; null while there is none. */
  outcome: string | null;
  level: number | null;
  candidates: number | null;
  /** Between deltas. */
  readonly gapsMs: number[];
  characters: number;
  /** What the server should not have done. */
  readonly wrongs: string[];
}

export interface Person extends Disposable {
  readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  /** Says it now. Resolves when it is refused, or the reply has ended, or nobody would wait any longer. */
  say(text: string, scheduled: { readonly at: number; readonly clock: () => number }): Promise<Attempt>;
}

const patienceMs = 90_000;

/** A socket that is ready, of a new guest or with a token. */
export async function openPerson(url: string, ownToken?: string): Promise<Person> {
  const token = ownToken ?? (await guestsAt(url).guest()).token;
  const socket: Person['socket'] = io(url, { auth: { token }, transports: ['websocket'], forceNew: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('session:ready', () => resolve());
    socket.once('connect_error', reject);
  });
  return {
    socket,
    say: (text, { at, clock }) => say(socket, { text, at, clock }),
    [Symbol.dispose]: () => socket.disconnect(),
  };
}

/** Opens many, some at a time. */
export async function openPeople(url: string, count: number): Promise<Person[]> {
  const people: Person[] = [];
  while (people.length < count) {
    const some = Math.min(25, count - people.length);
    people.push(...(await Promise.all(Array.from({ length: some }, () => openPerson(url)))));
  }
  return people;
}

async function say(
  socket: Person['socket'],
  { text, at, clock }: { text: string; at: number; clock: () => number },
): Promise<Attempt> {
  const since = () => (clock() - at) * 1000;
  const attempt: Attempt = {
    scheduledAt: at,
    lateMs: since(),
    ackMs: Number.NaN,
    refused: null,
    retryAfterMs: null,
    firstTextMs: null,
    endMs: null,
    outcome: null,
    level: null,
    candidates: null,
    gapsMs: [],
    characters: 0,
    wrongs: [],
  };
  const reply = follow(socket, attempt, since);
  try {
    const answer = (await socket
      .timeout(patienceMs)
      .emitWithAck('message:send', { clientMessageId: crypto.randomUUID(), text })) as Ack<
      Value<'message:send'>
    >;
    attempt.ackMs = since();
    if (answer.ok) await reply.ended;
    else {
      reply.giveUp();
      attempt.refused = answer.error.code;
      attempt.retryAfterMs = answer.error.retryAfterMs ?? null;
    }
  } catch (error) {
    attempt.wrongs.push((error as Error).message);
  } finally {
    for (const event of ['reply:start', 'reply:delta', 'reply:end', 'reply:fail', 'disconnect'] as const) {
      socket.off(event);
    }
  }
  return attempt;
}

/** `ended` resolves at the end, or when the time is over or the link is lost. */
function follow(
  socket: Person['socket'],
  attempt: Attempt,
  since: () => number,
): { readonly ended: Promise<void>; readonly giveUp: () => void } {
  let text = '';
  let lastDeltaMs: number | null = null;
  socket.on('reply:start', ({ level, candidates }) => Object.assign(attempt, { level, candidates }));
  socket.on('reply:delta', (delta) => {
    const now = since();
    attempt.firstTextMs ??= now;
    if (lastDeltaMs !== null) attempt.gapsMs.push(now - lastDeltaMs);
    lastDeltaMs = now;
    if (delta.offset !== text.length) attempt.wrongs.push(`hole: ${delta.offset} after ${text.length}`);
    text += delta.text;
    attempt.characters = text.length;
  });
  let giveUp = () => {};
  const ended = new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      attempt.wrongs.push(`no end within ${patienceMs} ms`);
      resolve();
    }, patienceMs);
    giveUp = () => clearTimeout(timer);
    const finish = (outcome: string) => {
      if (attempt.outcome !== null) attempt.wrongs.push(`a second end: ${outcome}`);
      attempt.outcome = outcome;
      attempt.endMs = since();
      clearTimeout(timer);
      resolve();
    };
    socket.on('reply:end', ({ message, finishReason }) => {
      if (message.text !== text) attempt.wrongs.push('the deltas do not add up to the reply');
      finish(finishReason);
    });
    socket.on('reply:fail', ({ error }) => finish(`failed: ${error.code}`));
    socket.on('disconnect', (reason) => finish(`disconnected: ${reason}`));
  });
  return { ended, giveUp };
}
