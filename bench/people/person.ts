import { setTimeout as pause } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { createUniform } from '../../models/tiny/random.ts';
import { guestsAt } from '../../test/support/wire-client.ts';

/** How long nobody would wait for a reply. */
const patienceMs = 60_000;

export interface Talk {
  readonly replies: readonly { readonly firstTextMs: number; readonly wholeMs: number }[];
  readonly errors: readonly string[];
  /** Times that a message was refused for want of room, and sent again later. */
  readonly refusals: number;
}

export interface PersonOptions {
  readonly url: string;
  readonly lines: readonly string[];
  readonly seed: number;
  /** By performance.now(). */
  readonly until: number;
}

/** Talks until the time is over; resolves with what was seen. */
export async function startPerson({ url, lines, seed, until }: PersonOptions): Promise<Talk> {
  const random = createUniform(seed);
  const { token } = await guestsAt(url).guest();
  const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true });
  const replies: { firstTextMs: number; wholeMs: number }[] = [];
  const errors: string[] = [];
  let refusals = 0;
  socket.on('connect_error', (error) => errors.push(`connect: ${error.message}`));
  socket.on('disconnect', (reason) => {
    if (reason !== 'io client disconnect') errors.push(`disconnect: ${reason}`);
  });
  await pause(random() * 3000);
  while (performance.now() < until) {
    const text = lines[Math.floor(random() * lines.length)] ?? '';
    try {
      replies.push(await say(text));
    } catch (error) {
      errors.push((error as Error).message);
    }
    await pause(500 + random() * 2500);
  }
  socket.disconnect();
  return { replies, errors, refusals };

  /** As a client does it: who is refused comes again when told to, with the same message. */
  async function send(text: string) {
    const message = { clientMessageId: crypto.randomUUID(), text };
    for (;;) {
      const answer = await socket.timeout(patienceMs).emitWithAck('message:send', message);
      if (answer.ok || answer.error.code !== 'overloaded' || performance.now() > until) return answer;
      refusals += 1;
      await pause(answer.error.retryAfterMs ?? 1000);
    }
  }

  async function say(text: string) {
    const sentAt = performance.now();
    let firstTextMs = Number.NaN;
    let generationId: string | undefined;
    let got = '';
    const ended = new Promise<string>((resolve, reject) => {
      socket.on('reply:delta', (delta: { offset: number; text: string }) => {
        if (got === '') firstTextMs = performance.now() - sentAt;
        if (delta.offset !== got.length) reject(new Error(`hole at ${delta.offset}, have ${got.length}`));
        got += delta.text;
      });
      socket.on('reply:end', ({ message }: { message: { text: string } }) => resolve(message.text));
      socket.on('reply:fail', ({ error }: { error: { code: string } }) =>
        reject(new Error(`fail: ${error.code}`)),
      );
    });
    const patience = pause(patienceMs, undefined, { ref: false }).then(() => {
      throw new Error(`no end of ${generationId} within ${patienceMs} ms`);
    });
    patience.catch(() => undefined);
    try {
      const answer = await send(text);
      if (!answer.ok) throw new Error(`send: ${answer.error.code}`);
      generationId = answer.value.generationId;
      const final = await Promise.race([ended, patience]);
      if (final !== got) throw new Error('the deltas do not add up to the reply');
      return { firstTextMs, wholeMs: performance.now() - sentAt };
    } finally {
      for (const event of ['reply:delta', 'reply:end', 'reply:fail']) socket.off(event);
      ended.catch(() => undefined);
    }
  }
}
