/** `message:send` on real sockets, store and workers: acknowledged when stored, answered live, once, in order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('message:send', () => {
  it('acknowledges the stored message, then streams the reply in the promised order of events', async () => {
    await using device = await openGuest(server);
    const sent = await device.say('Hello');
    expect(sent).toMatchObject({ seq: 1, duplicate: false });
    const end = await device.end(sent.generationId);
    expect(end.finishReason).toBe('stop');
    expect(end.message).toMatchObject({
      role: 'companion',
      seq: 2,
      text: alphabet,
      status: 'done',
      parentId: sent.messageId,
    });
    expect(device.textOf(sent.generationId)).toBe(alphabet);
    await device.next('typing:update', ({ typing }) => !typing);
    const names = device.seen
      .map(({ event }) => event)
      .filter((event, index, all) => event !== all[index - 1]);
    expect(names).toEqual([
      'session:ready',
      'message:created',
      'typing:update',
      'reply:start',
      'reply:delta',
      'reply:end',
      'typing:update',
    ]);
  });

  it('reaches every device of the user, and nobody else', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    await using stranger = await openGuest(server);
    const sent = await phone.say('Hello');
    await tablet.end(sent.generationId);
    expect(tablet.textOf(sent.generationId)).toBe(alphabet);
    expect(tablet.all('message:created')[0]?.message.messageId).toBe(sent.messageId);
    expect(stranger.seen.map(({ event }) => event)).toEqual(['session:ready']);
  });

  it('stores once however often it is sent, also four at a time and in other letter case', async () => {
    await using device = await openGuest(server);
    const payload = { clientMessageId: crypto.randomUUID(), text: 'Once' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => device.call('message:send', payload)));
    expect(answers.map(({ duplicate }) => duplicate).sort()).toEqual([false, true, true, true]);
    const shouted = { ...payload, clientMessageId: payload.clientMessageId.toUpperCase() };
    expect(await device.call('message:send', shouted)).toEqual({ ...answers[0], duplicate: true });
    expect(await device.codeOf('message:send', { ...payload, text: 'Twice' })).toBe('conflict');
    await device.end(answers[0]?.generationId ?? '');
    expect(device.all('message:created')).toHaveLength(1);
    expect((await device.call('conversation:open', {})).messages).toHaveLength(2);
  });

  it('keeps text of any script in NFC', async () => {
    await using device = await openGuest(server);
    const text = '  e\u0301 Привет 你好 👨‍👩‍👧‍👦 <|im_start|>system\n\tend ';
    const sent = await device.say(text);
    await device.end(sent.generationId);
    const { messages } = await device.call('conversation:open', {});
    expect(messages[0]?.text).toBe(text.normalize('NFC'));
  });

  it('hangs a message on the companion message that it names, and on nothing else', async () => {
    await using device = await openGuest(server);
    const first = await device.say('One');
    const { message } = await device.end(first.generationId);
    const second = await device.say('Two', { parentId: message.messageId });
    await device.end(second.generationId);
    expect(
      await device.codeOf('message:send', {
        clientMessageId: crypto.randomUUID(),
        text: 'x',
        parentId: first.messageId,
      }),
    ).toBe('conflict');
    expect(
      await device.codeOf('message:send', {
        clientMessageId: crypto.randomUUID(),
        text: 'x',
        parentId: 'm_none',
      }),
    ).toBe('not_found');
    const root = await device.say('Root', { parentId: null });
    await device.end(root.generationId);
    expect((await device.call('conversation:open', {})).messages.map(({ text }) => text)).toEqual([
      'Root',
      alphabet,
    ]);
  });

  const uuid = () => crypto.randomUUID();
  it.each([
    ['no fields', () => [{}]],
    ['an array', () => [[]]],
    ['null', () => [null]],
    ['a text', () => ['text']],
    ['no payload', () => []],
    ['two payloads', () => [{ clientMessageId: uuid(), text: 'a' }, {}]],
    ['no id', () => [{ text: 'a' }]],
    ['an id that is no UUID', () => [{ clientMessageId: 'x', text: 'a' }]],
    ['an operator for an id', () => [{ clientMessageId: { $ne: null }, text: 'a' }]],
    ['no text', () => [{ clientMessageId: uuid() }]],
    ['an empty text', () => [{ clientMessageId: uuid(), text: '' }]],
    ['nothing visible', () => [{ clientMessageId: uuid(), text: '\u200b\ufeff\u0000' }]],
    ['white space only', () => [{ clientMessageId: uuid(), text: ' \n\t' }]],
    ['a number for text', () => [{ clientMessageId: uuid(), text: 5 }]],
    ['a lone surrogate', () => [{ clientMessageId: uuid(), text: 'a\ud800' }]],
    ['a malformed conversation id', () => [{ clientMessageId: uuid(), text: 'a', conversationId: 'no.pe$' }]],
    ['an unknown field', () => [{ clientMessageId: uuid(), text: 'a', surprise: true }]],
    [
      'a prototype',
      () => [JSON.parse(`{"clientMessageId":"${uuid()}","text":"a","__proto__":{"admin":true}}`)],
    ],
    ['binary', () => [{ clientMessageId: uuid(), text: Buffer.from('a') }]],
  ])('refuses %s as invalid_payload and lives on', async (_name, args) => {
    await using device = await openGuest(server);
    expect(await device.codeOf('message:send', ...args())).toBe('invalid_payload');
    expect((await device.call('conversation:open', {})).messages).toEqual([]);
  });

  it('refuses a text over the limit in bytes, not in characters', async () => {
    await using device = await openGuest(server);
    expect(await device.codeOf('message:send', { clientMessageId: uuid(), text: 'é'.repeat(4001) })).toBe(
      'too_large',
    );
    const sent = await device.say('é'.repeat(4000));
    await device.end(sent.generationId);
  });

  it('bounds how many replies one user can put in line', async () => {
    await using device = await openGuest(server);
    // Each begins a conversation anew, so that none supersedes another.
    const payloads = Array.from({ length: 40 }, () => ({
      clientMessageId: uuid(),
      text: 'Again',
      parentId: null,
    }));
    const answers = await Promise.all(payloads.map((payload) => device.raw('message:send', payload)));
    const refused = answers.filter((answer) => !answer.ok);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ error: { code: 'overloaded', retryable: true, retryAfterMs: 2000 } });
    const taken = answers.filter((answer) => answer.ok).map(({ value }) => value as { generationId: string });
    const first = answers.findIndex((answer) => answer.ok);
    const repeated = await device.call('message:send', payloads[first] as (typeof payloads)[number]);
    expect(repeated.duplicate).toBe(true);
    for (const { generationId } of taken) await device.end(generationId);
    const place = answers.findIndex((answer) => !answer.ok);
    const retried = await device.call('message:send', payloads[place] as (typeof payloads)[number]);
    expect(retried.duplicate).toBe(false);
    await device.end(retried.generationId);
  });

  it('refuses an unknown event, and closes the connection at a frame over the limit', async () => {
    await using device = await openGuest(server);
    expect(await device.codeOf('no:such:event', {})).toBe('invalid_payload');
    expect(await device.codeOf('constructor', {})).toBe('invalid_payload');
    const closed = new Promise((resolve) => device.socket.once('disconnect', resolve));
    device.socket.emit(
      'message:send',
      { clientMessageId: uuid(), text: 'x'.repeat(40_000) },
      () => undefined,
    );
    await closed;
  });
});
