/** `reply:regenerate`: one more reply to the same message, beside the others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('reply:regenerate', () => {
  it('writes another reply to the same message, and selects it', async () => {
    await using device = await openGuest(server);
    const first = await device.talk('Hello');
    const { generationId, duplicate } = await device.regenerate(first.reply.messageId);
    expect(duplicate).toBe(false);
    expect(await device.next('reply:start', (start) => start.generationId === generationId)).toMatchObject({
      replyTo: first.messageId,
    });
    const { message } = await device.end(generationId);
    expect(message).toMatchObject({ seq: 3, text: alphabet, parentId: first.messageId, generationId });
    expect(message.siblings).toEqual({ index: 1, count: 2, previousId: first.reply.messageId });
    expect(device.textOf(generationId)).toBe(alphabet);
    expect(device.all('message:created')).toHaveLength(1);
    const { messages, conversation } = await device.call('conversation:open', {});
    expect(messages.map(({ messageId }) => messageId)).toEqual([first.messageId, message.messageId]);
    expect(conversation.selectedLeafId).toBe(message.messageId);
    const next = await device.talk('And now?');
    expect((await device.call('conversation:open', {})).messages.map(({ seq }) => seq)).toEqual([1, 3, 4, 5]);
    expect(next.reply.parentId).toBe(next.messageId);
  });

  it('tells every device once: the change of the older ones, and what is selected', async () => {
    await using phone = await openGuest(server);
    const { reply: first } = await phone.talk('Hello');
    const { message: second } = await phone.end((await phone.regenerate(first.messageId)).generationId);
    await using tablet = await WireClient.open(server.url, phone.token);
    // Of the oldest one: the new one comes last all the same.
    const { generationId } = await phone.regenerate(first.messageId);
    const { message: third } = await tablet.end(generationId);
    expect(tablet.textOf(generationId)).toBe(third.text);
    await tablet.next('conversation:updated');
    const [firstId, secondId, thirdId] = [first, second, third].map(({ messageId }) => messageId);
    expect(third.siblings).toEqual({ index: 2, count: 3, previousId: secondId });
    const updated = tablet.all('message:updated').map(({ message }) => [message.messageId, message.siblings]);
    expect(updated).toEqual([
      [firstId, { index: 0, count: 3, nextId: secondId }],
      [secondId, { index: 1, count: 3, previousId: firstId, nextId: thirdId }],
    ]);
    expect(tablet.all('conversation:updated').map(({ conversation }) => conversation.selectedLeafId)).toEqual(
      [thirdId],
    );
  });

  it('is done once however often it is asked, also four at a time and in other letter case', async () => {
    await using device = await openGuest(server);
    const { reply } = await device.talk('Hello');
    const { reply: other } = await device.talk('Hello again');
    const payload = { clientRequestId: crypto.randomUUID(), messageId: reply.messageId };
    const answers = await Promise.all([1, 2, 3, 4].map(() => device.call('reply:regenerate', payload)));
    expect(answers.map(({ duplicate }) => duplicate).sort()).toEqual([false, true, true, true]);
    expect(new Set(answers.map(({ generationId }) => generationId)).size).toBe(1);
    const shouted = { ...payload, clientRequestId: payload.clientRequestId.toUpperCase() };
    expect(await device.call('reply:regenerate', shouted)).toEqual({ ...answers[0], duplicate: true });
    const elsewhere = { ...payload, messageId: other.messageId };
    expect(await device.codeOf('reply:regenerate', elsewhere)).toBe('conflict');
    await device.end(answers[0]?.generationId ?? '');
    expect((await device.call('conversation:open', {})).lastSeq).toBe(5);
  });

  it('is for replies only', async () => {
    await using device = await openGuest(server);
    const { messageId } = await device.talk('Hello');
    const refused = (id: string) =>
      device.codeOf('reply:regenerate', { clientRequestId: crypto.randomUUID(), messageId: id });
    expect(await refused(messageId)).toBe('unsupported');
    expect(await refused('m_none')).toBe('not_found');
    expect(await device.codeOf('reply:regenerate', { clientRequestId: 'x', messageId })).toBe(
      'invalid_payload',
    );
  });

  it('bounds the versions of one message', async () => {
    await using device = await openGuest(server);
    const { reply } = await device.talk('Hello');
    let generationId = '';
    for (let versions = 1; versions < 100; versions++) {
      ({ generationId } = await device.regenerate(reply.messageId));
      await device.call('generation:cancel', { generationId });
    }
    const clientRequestId = crypto.randomUUID();
    const { messageId } = reply;
    expect(await device.codeOf('reply:regenerate', { clientRequestId, messageId })).toBe('unsupported');
    expect((await device.end(generationId)).message.siblings).toMatchObject({ index: 99, count: 100 });
  });
});
