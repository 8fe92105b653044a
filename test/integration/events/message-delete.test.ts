/** `message:delete`: a message and what hangs below it, on every device and for those that were away. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('message:delete', () => {
  it('takes out what hangs below, and every device hears of it', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const first = await phone.talk('One');
    const second = await phone.talk('Two');
    const { messageId } = second;
    await phone.call('message:delete', { messageId });
    const { conversationId } = first;
    const told = await tablet.next('message:deleted');
    expect(told).toMatchObject({ conversationId, messageIds: [messageId, second.reply.messageId] });
    const { conversation } = await tablet.next('conversation:updated');
    expect(conversation).toMatchObject({ selectedLeafId: first.reply.messageId, lastSeq: 4, rev: told.rev });
    const { messages } = await phone.call('conversation:open', {});
    expect(messages.map(({ text }) => text)).toEqual(['One', first.reply.text]);
    const next = await phone.talk('Three');
    expect(next.seq).toBe(5);
    const { trace } = await phone.call('prompt:trace', { generationId: next.generationId });
    expect(trace.parts.map(({ text }) => text)).not.toContain('Two');
  });

  it('is told to a device that was away', async () => {
    await using phone = await openGuest(server);
    const { conversationId, messageId, reply } = await phone.talk('One');
    const before = await phone.call('conversation:open', { conversationId });
    await phone.call('message:delete', { messageId });
    const afterRev = before.conversation.rev;
    const opened = await phone.call('conversation:open', { conversationId, afterRev });
    expect(opened.messages).toEqual([]);
    expect(opened.deletedMessageIds?.toSorted()).toEqual([messageId, reply.messageId].toSorted());
    expect(opened.conversation.selectedLeafId).toBeNull();
  });

  it('updates the versions that stood beside it', async () => {
    await using phone = await openGuest(server);
    const { reply } = await phone.talk('One');
    const { generationId } = await phone.regenerate(reply.messageId);
    const again = (await phone.end(generationId)).message;
    await phone.call('message:delete', { messageId: again.messageId });
    const { message } = await phone.next(
      'message:updated',
      (update) => update.message.messageId === reply.messageId && update.message.siblings.count === 1,
    );
    expect(message.siblings).toEqual({ index: 0, count: 1 });
    expect((await phone.call('conversation:open', {})).messages.at(-1)).toEqual(message);
  });

  it('ends the reply that is being written there first', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { messageId, generationId } = await phone.say('Tell me everything');
    await phone.call('message:delete', { messageId });
    await tablet.next('message:deleted');
    const names = tablet.seen.map(({ event }) => event);
    expect(names.indexOf('reply:end')).toBeLessThan(names.indexOf('message:deleted'));
    expect(tablet.all('reply:end')).toMatchObject([{ generationId }]);
    expect((await phone.call('conversation:open', {})).activeGenerations).toEqual([]);
  });

  it('lets the user go on after a message whose reply is gone', async () => {
    await using phone = await openGuest(server);
    const first = await phone.talk('One');
    await phone.call('message:delete', { messageId: first.reply.messageId });
    const next = await phone.talk('Two');
    const { trace } = await phone.call('prompt:trace', { generationId: next.generationId });
    const recent = trace.parts.filter(({ kind }) => kind === 'recent').map(({ text }) => text);
    expect(recent).toEqual(['One', 'Two']);
  });

  it('leaves the first answer to a client that repeats its send', async () => {
    await using phone = await openGuest(server);
    const clientMessageId = crypto.randomUUID();
    const { duplicate: _, ...first } = await phone.say('One', { clientMessageId });
    await phone.call('message:delete', { messageId: first.messageId });
    expect(await phone.say('One', { clientMessageId })).toEqual({ ...first, duplicate: true });
    expect((await phone.call('conversation:open', {})).messages).toEqual([]);
  });
});
