/** `message:edit`: one more version of a message, with a reply of its own; nothing is overwritten. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz';
const uuid = () => crypto.randomUUID();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('message:edit', () => {
  it('stores a version beside the message, answers it, and selects it', async () => {
    await using device = await openGuest(server);
    const first = await device.talk('Hello');
    const edited = await device.edit(first.messageId, 'Hello there');
    expect(edited).toMatchObject({ seq: 3, duplicate: false, conversationId: first.conversationId });
    const { message: reply } = await device.end(edited.generationId);
    expect(reply).toMatchObject({ seq: 4, text: alphabet, parentId: edited.messageId });
    expect(device.textOf(edited.generationId)).toBe(alphabet);
    const { messages, conversation } = await device.call('conversation:open', {});
    expect(conversation.selectedLeafId).toBe(reply.messageId);
    expect(messages.map(({ text }) => text)).toEqual(['Hello there', alphabet]);
    expect(messages[0]).toMatchObject({ parentId: null, role: 'user', status: 'done' });
    expect(messages[0]?.siblings).toEqual({ index: 1, count: 2, previousId: first.messageId });
  });

  it('tells every device once: the new version, the change of the older ones, and what is selected', async () => {
    await using phone = await openGuest(server);
    const first = await phone.talk('One');
    const second = await phone.edit(first.messageId, 'Two');
    await phone.end(second.generationId);
    await using tablet = await WireClient.open(server.url, phone.token);
    const third = await phone.edit(second.messageId, 'Three');
    const { message: reply } = await tablet.end(third.generationId);
    expect(tablet.textOf(third.generationId)).toBe(reply.text);
    await tablet.next('conversation:updated');
    const count = 3;
    const { messageId: firstId } = first;
    const { messageId: secondId } = second;
    const { messageId: thirdId } = third;
    expect(tablet.all('message:created').map(({ message }) => [message.text, message.siblings])).toEqual([
      ['Three', { index: 2, count, previousId: secondId }],
    ]);
    expect(tablet.all('message:updated').map(({ message }) => [message.text, message.siblings])).toEqual([
      ['One', { index: 0, count, nextId: secondId }],
      ['Two', { index: 1, count, previousId: firstId, nextId: thirdId }],
    ]);
    expect(tablet.all('conversation:updated').map(({ conversation }) => conversation.selectedLeafId)).toEqual(
      [reply.messageId],
    );
  });

  it('stores once however often it is sent, also four at a time, in other letter case and another form of the text', async () => {
    await using device = await openGuest(server);
    const { messageId } = await device.talk('Hello');
    const payload = { clientMessageId: uuid(), messageId, text: 'é' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => device.call('message:edit', payload)));
    expect(answers.map(({ duplicate }) => duplicate).sort()).toEqual([false, true, true, true]);
    const varied = { ...payload, clientMessageId: payload.clientMessageId.toUpperCase(), text: 'e\u0301' };
    expect(await device.call('message:edit', varied)).toEqual({ ...answers[0], duplicate: true });
    await device.end(answers[0]?.generationId ?? '');
    expect(device.all('message:created')).toHaveLength(2);
    expect((await device.call('conversation:open', {})).lastSeq).toBe(4);
  });

  it('shares its ids with send and regenerate: one with another body is a conflict', async () => {
    await using device = await openGuest(server);
    const id = uuid();
    const { messageId, reply } = await device.talk('Hello', { clientMessageId: id });
    const { messageId: replyId } = reply;
    const edit = (clientMessageId: string, text: string) =>
      device.codeOf('message:edit', { clientMessageId, messageId, text });
    // The very text that was sent under this id: still another request.
    expect(await edit(id, 'Hello')).toBe('conflict');
    expect(await device.codeOf('reply:regenerate', { clientRequestId: id, messageId: replyId })).toBe(
      'conflict',
    );
    const [editId, regenerateId] = [uuid(), uuid()];
    expect(await edit(editId, 'Two')).toBe('accepted');
    expect(await edit(editId, 'Three')).toBe('conflict');
    expect(await device.codeOf('message:send', { clientMessageId: editId, text: 'Two' })).toBe('conflict');
    const regenerate = { clientRequestId: regenerateId, messageId: replyId };
    expect(await device.codeOf('reply:regenerate', regenerate)).toBe('accepted');
    expect(await edit(regenerateId, 'Two')).toBe('conflict');
    expect(await device.codeOf('message:send', { clientMessageId: regenerateId, text: 'Hi' })).toBe(
      'conflict',
    );
    expect((await device.call('conversation:open', {})).lastSeq).toBe(5);
  });

  it('is for messages of the user only, and leaves no trace when it is refused', async () => {
    await using device = await openGuest(server);
    const { messageId, reply } = await device.talk('Hello');
    const clientMessageId = uuid();
    const refused = (own: object) =>
      device.codeOf('message:edit', { clientMessageId, messageId, text: 'Other', ...own });
    expect(await refused({ messageId: reply.messageId })).toBe('unsupported');
    expect(await refused({ messageId: 'm_none' })).toBe('not_found');
    expect(await refused({ text: 'é'.repeat(4001) })).toBe('too_large');
    for (const text of ['', ' \n\t', '\u200b\u0000', 'a\ud800', 5, null])
      expect(await refused({ text })).toBe('invalid_payload');
    expect(await refused({ clientMessageId: 'x' })).toBe('invalid_payload');
    const edited = await device.call('message:edit', { clientMessageId, messageId, text: 'Other' });
    expect(edited).toMatchObject({ seq: 3, duplicate: false });
    await device.end(edited.generationId);
  });

  it('leaves what hung below the old version there, whole', async () => {
    await using device = await openGuest(server);
    const first = await device.talk('One');
    const second = await device.talk('Two');
    const { generationId, messageId } = await device.edit(first.messageId, 'Other one');
    await device.end(generationId);
    expect((await device.call('conversation:open', {})).messages).toHaveLength(2);
    const back = await device.call('branch:select', { messageId: second.messageId });
    expect(back.messages.map(({ text }) => text)).toEqual(['One', alphabet, 'Two', alphabet]);
    expect(back.messages[0]?.siblings).toEqual({ index: 0, count: 2, nextId: messageId });
  });
});
