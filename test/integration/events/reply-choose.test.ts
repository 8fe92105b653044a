/** `reply:alternatives` and `reply:choose`, on a model whose candidates differ. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { makeTinyModel } from '../../support/tiny-model.ts';
import { countedSignals, openGuest, WireClient } from '../../support/wire-client.ts';

let modelsDirectory: string;
let server: TestServer;
beforeAll(async () => {
  modelsDirectory = await mkdtemp(join(tmpdir(), 'amity-models-'));
  await makeTinyModel(join(modelsDirectory, 'tiny-random'), { kind: 'random' });
  server = await startTestServer({
    modelsDirectory,
    // All candidates are written to their end, so that there are several alternatives.
    env: { MODEL: 'tiny-random', AMITY_QUALITY: 'best', AMITY_REPLY_TOKENS_MAX: '24' },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(modelsDirectory, { recursive: true });
});

/** A reply that could have been another one. The candidates of a random model are filtered now and then. */
async function talkWithAlternatives(device: WireClient) {
  for (;;) {
    const talked = await device.talk('Hello');
    const { messageId } = talked.reply;
    const { alternatives } = await device.call('reply:alternatives', { messageId });
    const shown = alternatives.find((one) => one.shown);
    const other = alternatives.find((one) => !one.shown);
    if (shown !== undefined && other !== undefined)
      return { ...talked, userMessageId: talked.messageId, messageId, alternatives, shown, other };
  }
}

const shownOf = (alternatives: readonly { candidateId: string; shown: boolean }[]) =>
  alternatives.filter((one) => one.shown).map(({ candidateId }) => candidateId);

describe('reply:alternatives', () => {
  it('lists different texts by rank, the shown one among them', async () => {
    await using device = await openGuest(server);
    const { alternatives, shown, reply } = await talkWithAlternatives(device);
    expect(shown.text).toBe(reply.text);
    expect(alternatives.map(({ rank }) => rank)).toEqual(alternatives.map((_, place) => place + 1));
    expect(new Set(alternatives.map(({ text }) => text)).size).toBe(alternatives.length);
    expect(alternatives.every(({ text }) => text !== '' && text === text.trim())).toBe(true);
    expect(shownOf(alternatives)).toHaveLength(1);
  });

  it('is for replies only', async () => {
    await using device = await openGuest(server);
    const { messageId } = await device.talk('Hello');
    expect(await device.codeOf('reply:alternatives', { messageId })).toBe('unsupported');
  });
});

describe('reply:choose', () => {
  it('shows another candidate in the same message, takes the reaction back, and tells every device', async () => {
    await using phone = await openGuest(server);
    await using tablet = await WireClient.open(server.url, phone.token);
    const { messageId, reply, other } = await talkWithAlternatives(phone);
    await phone.call('reaction:set', { messageId, kind: 'love' });
    const { candidateId } = other;
    const { message } = await phone.call('reply:choose', { messageId, candidateId });
    expect(message).toMatchObject({ messageId, text: other.text, reaction: null, status: 'done' });
    expect(message.generationId).toBe(reply.generationId);
    expect(message.seq).toBe(reply.seq);
    for (const device of [phone, tablet]) {
      const told = await device.next('message:updated', ({ message: one }) => one.rev === message.rev);
      expect(told.message).toEqual(message);
    }
    const { messages } = await tablet.call('conversation:open', {});
    expect(messages.at(-1)).toEqual(message);
  });

  it('moves what is shown among the same alternatives, there and back', async () => {
    await using device = await openGuest(server);
    const { messageId, alternatives, shown, other } = await talkWithAlternatives(device);
    await device.call('reply:choose', { messageId, candidateId: other.candidateId });
    const after = (await device.call('reply:alternatives', { messageId })).alternatives;
    expect(shownOf(after)).toEqual([other.candidateId]);
    expect(after.map(({ text, rank }) => [text, rank])).toEqual(
      alternatives.map(({ text, rank }) => [text, rank]),
    );
    const back = await device.call('reply:choose', { messageId, candidateId: shown.candidateId });
    expect(back.message.text).toBe(shown.text);
    expect((await device.call('reply:alternatives', { messageId })).alternatives).toEqual(alternatives);
  });

  it('of what is shown already changes nothing, and nobody is told', async () => {
    await using device = await openGuest(server);
    const { messageId, shown, other } = await talkWithAlternatives(device);
    const { candidateId } = other;
    const first = await device.call('reply:choose', { messageId, candidateId });
    const again = await device.call('reply:choose', { messageId, candidateId });
    expect(again).toEqual(first);
    await device.call('reply:choose', { messageId, candidateId: shown.candidateId });
    await device.next('message:updated', ({ message }) => message.text === shown.text);
    expect(device.all('message:updated').map(({ message }) => message.text)).toEqual([
      other.text,
      shown.text,
    ]);
  });

  it('leaves what the generation ended with to its resume, and goes into the next prompt', async () => {
    await using device = await openGuest(server);
    const { messageId, generationId, reply, other } = await talkWithAlternatives(device);
    await device.call('reply:choose', { messageId, candidateId: other.candidateId });
    const resumed = await device.call('generation:resume', { generationId, offset: 0 });
    expect(resumed).toMatchObject({ text: reply.text, status: 'done', message: { text: other.text } });
    const next = await device.talk('And now?');
    const { trace } = await device.call('prompt:trace', { generationId: next.generationId });
    expect(trace.parts.find((part) => part.messageId === messageId)?.text).toBe(other.text);
  });

  it('is among what changed after a rev', async () => {
    await using device = await openGuest(server);
    const { messageId, other } = await talkWithAlternatives(device);
    const { conversation } = await device.call('conversation:open', {});
    await device.call('reply:choose', { messageId, candidateId: other.candidateId });
    const changed = await device.call('conversation:open', { afterRev: conversation.rev });
    expect(changed.messages.map((message) => [message.messageId, message.text])).toEqual([
      [messageId, other.text],
    ]);
  });

  it('is for candidates of that very reply', async () => {
    await using device = await openGuest(server);
    const first = await talkWithAlternatives(device);
    const second = await talkWithAlternatives(device);
    const { messageId } = first;
    const { candidateId } = second.other;
    expect(await device.codeOf('reply:choose', { messageId, candidateId })).toBe('not_found');
    expect(await device.codeOf('reply:choose', { messageId, candidateId: 'k_none' })).toBe('not_found');
    const { messageId: userMessageId } = await device.talk('Hello');
    expect(await device.codeOf('reply:choose', { messageId: userMessageId, candidateId })).toBe(
      'unsupported',
    );
  });
});

it('what people do about a reply is counted by kind', async () => {
  await using device = await openGuest(server);
  const { messageId, userMessageId, other } = await talkWithAlternatives(device);
  const before = await countedSignals(server.url);
  await device.call('reply:choose', { messageId, candidateId: other.candidateId });
  await device.end((await device.regenerate(messageId)).generationId);
  await device.end((await device.edit(userMessageId, 'Hi')).generationId);
  const after = await countedSignals(server.url);
  for (const kind of ['choose', 'regenerate', 'edit'])
    expect([kind, (after[kind] ?? 0) - (before[kind] ?? 0)]).toEqual([kind, 1]);
});
