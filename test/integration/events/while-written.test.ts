/** Edit, regenerate, alternatives, choose, select: on replies that go on until they are stopped. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { countedSignals, openGuest, WireClient } from '../../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  // The tiny model counts 0 to 9 without end after a transcript prompt.
  server = await startTestServer({
    env: { AMITY_TEMPLATE: 'transcript', AMITY_REPLY_TOKENS_MAX: '1500', AMITY_PROMPT_TOKENS_MAX: '400' },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** A reply of which at least some text has been shown. */
async function aRunningReply(device: WireClient) {
  const sent = await device.say('Count');
  const { generationId } = sent;
  await device.next('reply:delta', (delta) => delta.generationId === generationId);
  const { messageId } = await device.next('reply:start', (start) => start.generationId === generationId);
  return { ...sent, replyId: messageId };
}

async function cancel(device: WireClient, generationId: string) {
  await device.call('generation:cancel', { generationId });
  return (await device.end(generationId)).message;
}

describe('while a reply is written', () => {
  it('an edit of its message ends it with the text that was shown, and is answered itself', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const running = await aRunningReply(phone);
    const edited = await phone.edit(running.messageId, 'Count again');
    for (const device of [phone, tablet]) {
      const end = await device.end(running.generationId);
      expect(end.finishReason).toBe('cancelled');
      expect(device.textOf(running.generationId)).toBe(end.message.text);
      expect(end.message.text).not.toBe('');
      await device.next('reply:delta', ({ generationId }) => generationId === edited.generationId);
    }
    const message = await cancel(phone, edited.generationId);
    expect((await phone.call('conversation:open', {})).messages.at(-1)).toEqual(message);
  });

  it('a further reply to the same message ends it, and no two of them run at a time', async () => {
    await using device = await openGuest(server);
    const running = await aRunningReply(device);
    const { generationId } = await device.regenerate(running.replyId);
    await device.next('reply:delta', (delta) => delta.generationId === generationId);
    const { finishReason, message } = await device.end(running.generationId);
    expect([finishReason, message.siblings.count]).toEqual(['cancelled', 2]);
    const names = device.seen.filter(({ event }) => event === 'reply:start' || event === 'reply:end');
    expect(names.map(({ event }) => event)).toEqual(['reply:start', 'reply:end', 'reply:start']);
    await cancel(device, generationId);
  });

  it('an edit of an earlier message ends it too', async () => {
    await using device = await openGuest(server);
    const first = await aRunningReply(device);
    await cancel(device, first.generationId);
    const second = await aRunningReply(device);
    const edited = await device.edit(first.messageId, 'Count again');
    expect((await device.end(second.generationId)).finishReason).toBe('cancelled');
    await cancel(device, edited.generationId);
  });

  it('it has no alternatives, and none can be chosen', async () => {
    await using device = await openGuest(server);
    const { replyId: messageId, generationId } = await aRunningReply(device);
    expect(await device.call('reply:alternatives', { messageId })).toEqual({ alternatives: [] });
    expect(await device.codeOf('reply:choose', { messageId, candidateId: 'k_none' })).toBe('unsupported');
    const { text } = await cancel(device, generationId);
    const { alternatives } = await device.call('reply:alternatives', { messageId });
    expect(alternatives.filter(({ shown }) => shown).map((one) => one.text)).toEqual([text]);
  });

  it('another branch can be selected, and it goes on', async () => {
    await using device = await openGuest(server);
    const first = await aRunningReply(device);
    await cancel(device, first.generationId);
    const { generationId } = await device.regenerate(first.replyId);
    await device.next('reply:delta', (delta) => delta.generationId === generationId);
    const there = await device.call('branch:select', { messageId: first.replyId });
    expect(there.messages.at(-1)?.messageId).toBe(first.replyId);
    const { length } = device.textOf(generationId);
    await device.next('reply:delta', (delta) => delta.generationId === generationId && delta.offset > length);
    const message = await cancel(device, generationId);
    const back = await device.call('branch:select', { messageId: message.messageId });
    expect(back.messages.at(-1)).toEqual(message);
  });

  it('stopping it is counted, once', async () => {
    await using device = await openGuest(server);
    const { generationId } = await aRunningReply(device);
    const before = await countedSignals(server.url);
    await Promise.all([1, 2, 3].map(() => device.call('generation:cancel', { generationId })));
    const after = await countedSignals(server.url);
    expect((after['stop'] ?? 0) - (before['stop'] ?? 0)).toBe(1);
  });
});
