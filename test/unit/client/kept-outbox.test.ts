/** What waits to be sent outlives the app, and goes out once; and replies are read as streams. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AmityClient, createAmityClient } from '../../../src/client/amity-client.ts';
import type { ConversationState } from '../../../src/client/state.ts';
import { until as untilState } from './until.ts';
import { WireDouble } from './wire-double.ts';

let wire: WireDouble;
let kept: Map<string, string>;
const open = new Set<AmityClient>();

beforeEach(async () => {
  wire = await WireDouble.start();
  kept = new Map();
});
afterEach(async () => {
  for (const client of open) client.close();
  open.clear();
  await wire[Symbol.asyncDispose]();
});

const storage = () => ({
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
});

function start(url = wire.url): AmityClient {
  const client = createAmityClient({ url, auth: { token: 't' }, reconnectDelayMs: 10, outbox: storage() });
  open.add(client);
  return client;
}

const synced = (client: AmityClient) => untilState(client, (state) => state.synced);
const texts = ({ messages }: ConversationState) => messages.map(({ text }) => text);
const sends = () => wire.received.filter(({ event }) => event === 'message:send');

describe('an outbox', () => {
  test('goes on where the last run of the app ended, in order, under the same ids', async () => {
    const nowhere = start('http://127.0.0.1:1');
    const ids = ['One', 'Two', 'Three'].map((text) => nowhere.send(text));
    nowhere.close();
    const client = start();
    expect(texts(client.getSnapshot())).toEqual(['One', 'Two', 'Three']);
    const state = await untilState(
      client,
      ({ outgoing, synced: isSynced }) => isSynced && outgoing.length === 0,
    );
    expect(texts(state).slice(0, 3)).toEqual(['One', 'Two', 'Three']);
    expect(sends().map(({ payload }) => (payload as { clientMessageId: string }).clientMessageId)).toEqual(
      ids,
    );
    const third = start();
    await synced(third);
    expect(third.getSnapshot().outgoing).toEqual([]);
    expect(sends()).toHaveLength(3);
  });

  test('does not send twice what was stored when the app ended before the answer', async () => {
    const client = start();
    await synced(client);
    wire.silentOnce.add('message:send');
    client.send('Hello');
    await untilState(client, () => sends().length === 1);
    client.close();
    const again = start();
    await untilState(again, ({ outgoing, synced: isSynced }) => isSynced && outgoing.length === 0);
    expect(wire.messages.filter(({ role }) => role === 'user')).toHaveLength(1);
  });

  test('keeps what was refused, for the user to decide', async () => {
    const client = start();
    await synced(client);
    wire.failOnce.set('message:send', { code: 'conflict', message: 'no', retryable: false });
    const id = client.send('Hello');
    await untilState(client, ({ outgoing }) => outgoing[0]?.delivery === 'failed');
    client.close();
    const again = start();
    const state = await synced(again);
    expect(state.messages.at(-1)).toMatchObject({ key: id, delivery: 'failed', error: { code: 'conflict' } });
    again.discard(id);
    again.close();
    expect((await synced(start())).outgoing).toEqual([]);
  });

  test('of another user is not sent', async () => {
    const at = '2026-01-05T09:00:00.000Z';
    const request = {
      kind: 'send',
      clientId: 'k',
      targetId: null,
      text: 'private',
      delivery: 'sending',
      error: null,
      at,
    };
    kept.set('amity.outbox', JSON.stringify({ userId: 'somebody else', requests: [request] }));
    const client = start();
    expect((await synced(client)).outgoing).toEqual([]);
    expect(sends()).toEqual([]);
    expect(kept.get('amity.outbox')).not.toContain('private');
  });

  test.each(['', 'x', '7', '{}', '{"requests":7}', '{"requests":[7,null,{"kind":"send"}]}'])(
    'takes nothing from %j',
    async (text) => {
      kept.set('amity.outbox', text);
      expect((await synced(start())).outgoing).toEqual([]);
    },
  );
});

describe('a stream', () => {
  async function read(pieces: AsyncIterable<string>): Promise<string> {
    let text = '';
    for await (const piece of pieces) text += piece;
    return text;
  }

  async function ask(client: AmityClient, text: string) {
    const id = client.send(text);
    await untilState(client, ({ messages }) => messages.some(({ key, rev }) => key === id && rev > 0));
    const reply = wire.replies.at(-1);
    if (reply === undefined) throw new Error('no reply');
    return { id, reply };
  }

  test('gives the text of a reply, also across a lost connection, and ends with it', async () => {
    const client = start();
    await synced(client);
    const { id, reply } = await ask(client, 'Hello');
    const whole = read(client.stream(id));
    wire.startReply(reply);
    wire.say(reply, 'one ');
    await untilState(client, (state) => texts(state).includes('one '));
    wire.cut();
    await untilState(client, ({ connection }) => connection.state === 'offline');
    wire.say(reply, 'two ');
    wire.say(reply, 'three');
    wire.endReply(reply);
    expect(await whole).toBe('one two three');
    expect(await read(client.stream(id))).toBe('one two three');
  });

  test('tells why there is no reply', async () => {
    const client = start();
    await synced(client);
    wire.failOnce.set('message:send', { code: 'conflict', message: 'no', retryable: false });
    await expect(read(client.stream(client.send('Hello')))).rejects.toMatchObject({
      fault: { code: 'conflict' },
    });
    const { id, reply } = await ask(client, 'Hello');
    const whole = read(client.stream(id));
    wire.startReply(reply);
    wire.endReply(reply, { code: 'generation_failed', message: 'broken', retryable: true });
    await expect(whole).rejects.toMatchObject({ fault: { code: 'generation_failed' } });
  });

  test('ends with the client, and at once for what is not there', async () => {
    const client = start();
    await synced(client);
    const waiting = read(client.stream(client.send('Hello')));
    client.close();
    await expect(waiting).rejects.toMatchObject({ fault: { code: 'disconnected' } });
    expect(await read(client.stream('unknown'))).toBe('');
  });
});
