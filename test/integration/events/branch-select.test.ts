/** `branch:select`: which of the versions is shown, on every device. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Two branches: `old` has two turns, `other` begins with another version of the first message and is selected. */
async function twoBranches(device: WireClient) {
  const first = await device.talk('One');
  const second = await device.talk('Two');
  const edited = await device.edit(first.messageId, 'Other one');
  const { message: reply } = await device.end(edited.generationId);
  const old = [first.messageId, first.reply.messageId, second.messageId, second.reply.messageId];
  return { conversationId: first.conversationId, old, other: [edited.messageId, reply.messageId] };
}

const idsOf = (messages: readonly { messageId: string }[]) => messages.map(({ messageId }) => messageId);

describe('branch:select', () => {
  it('goes there and back, and history follows', async () => {
    await using device = await openGuest(server);
    const { conversationId, old, other } = await twoBranches(device);
    const history = async () => idsOf((await device.call('history:page', { conversationId })).messages);
    expect(await history()).toEqual(other);
    const there = await device.call('branch:select', { messageId: old[0] ?? '' });
    expect(idsOf(there.messages)).toEqual(old);
    expect(there.conversation).toMatchObject({ conversationId, selectedLeafId: old[3], lastSeq: 6 });
    expect(await history()).toEqual(old);
    const back = await device.call('branch:select', { messageId: other[1] ?? '' });
    expect(idsOf(back.messages)).toEqual(other);
    expect(await history()).toEqual(other);
  });

  it('tells every device what is selected now, once, and nothing when it was selected', async () => {
    await using phone = await openGuest(server);
    const { old, other } = await twoBranches(phone);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { conversation } = await phone.call('branch:select', { messageId: old[2] ?? '' });
    // On the selected branch already, though not its end: nothing changes.
    const same = await phone.call('branch:select', { messageId: old[0] ?? '' });
    expect(same.conversation).toEqual(conversation);
    await phone.call('branch:select', { messageId: other[0] ?? '' });
    await tablet.next('conversation:updated', (update) => update.conversation.selectedLeafId === other[1]);
    const told = tablet.all('conversation:updated').map((update) => update.conversation.selectedLeafId);
    expect(told).toEqual([old[3], other[1]]);
    expect(tablet.all('conversation:updated')[0]?.conversation).toEqual(conversation);
  });

  it('decides where the next message goes on', async () => {
    await using device = await openGuest(server);
    const { old } = await twoBranches(device);
    await device.call('branch:select', { messageId: old[1] ?? '' });
    const next = await device.talk('Three');
    const { messages } = await device.call('conversation:open', {});
    expect(idsOf(messages)).toEqual([...old, next.messageId, next.reply.messageId]);
    const { trace } = await device.call('prompt:trace', { generationId: next.generationId });
    const recent = trace.parts.filter(({ kind }) => kind === 'recent').map(({ text }) => text);
    expect(recent).toEqual(['One', alphabet, 'Two', alphabet, 'Three']);
  });

  it('answers with the newest page, and history has the rest', async () => {
    await using device = await openGuest(server);
    const first = await device.talk('0');
    const texts = Array.from({ length: 27 }, (_, turn) => `${turn + 1}`);
    for (const text of texts) await device.talk(text);
    const { generationId } = await device.edit(first.messageId, 'Other');
    await device.end(generationId);
    const { messages } = await device.call('branch:select', { messageId: first.messageId });
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, place) => place + 7));
    const { conversationId } = first;
    const older = await device.call('history:page', { conversationId, beforeSeq: 7 });
    expect([older.messages.map(({ seq }) => seq), older.hasMore]).toEqual([[1, 2, 3, 4, 5, 6], false]);
  });

  it('is among what changed after a rev, with every version whose place changed', async () => {
    await using device = await openGuest(server);
    const first = await device.talk('One');
    const { conversation } = await device.call('conversation:open', {});
    const edited = await device.edit(first.messageId, 'Other one');
    const { message: reply } = await device.end(edited.generationId);
    const again = await device.regenerate(reply.messageId);
    await device.end(again.generationId);
    await device.call('branch:select', { messageId: first.messageId });
    const changed = await device.call('conversation:open', { afterRev: conversation.rev });
    expect(changed.conversation.selectedLeafId).toBe(first.reply.messageId);
    expect(changed.messages.map(({ seq, siblings }) => [seq, siblings.index, siblings.count])).toEqual([
      [1, 0, 2],
      [3, 1, 2],
      [4, 0, 2],
      [5, 1, 2],
    ]);
  });

  it('does not stop what is being written elsewhere', async () => {
    await using device = await openGuest(server);
    const { old } = await twoBranches(device);
    const sent = await device.say('Slow');
    const selected = await device.call('branch:select', { messageId: old[0] ?? '' });
    expect(idsOf(selected.messages)).toEqual(old);
    const { finishReason, message } = await device.end(sent.generationId);
    expect([finishReason, message.text]).toEqual(['stop', alphabet]);
    expect((await device.call('conversation:open', {})).conversation.selectedLeafId).toBe(old[3]);
  });
});
