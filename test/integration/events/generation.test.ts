/** `generation:cancel`, `generation:resume`, `prompt:trace`: on replies that go on until they are stopped. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, WireClient } from '../../support/wire-client.ts';

const digits = '0123456789';
let server: TestServer;
beforeAll(async () => {
  // The tiny model counts 0 to 9 without end after a transcript prompt.
  server = await startTestServer({
    env: { AMITY_TEMPLATE: 'transcript', AMITY_REPLY_TOKENS_MAX: '1500', AMITY_PROMPT_TOKENS_MAX: '400' },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

describe('generation:cancel', () => {
  it('keeps the text that was shown, and is harmless a second time', async () => {
    await using device = await openGuest(server);
    const sent = await device.say('Count');
    await device.next('reply:delta');
    const { status } = await device.call('generation:cancel', { generationId: sent.generationId });
    const end = await device.end(sent.generationId);
    expect([status, end.finishReason, end.message.status]).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(device.textOf(sent.generationId)).toBe(end.message.text);
    expect(digits.repeat(2000).startsWith(end.message.text)).toBe(true);
    expect(await device.call('generation:cancel', { generationId: sent.generationId })).toEqual({
      status: 'cancelled',
    });
    expect((await device.call('conversation:open', {})).messages[1]?.text).toBe(end.message.text);
  });

  it('ends a reply before its first text, its typing dots too, and the next message is answered', async () => {
    await using device = await openGuest(server);
    const sent = await device.say('Count');
    await device.call('generation:cancel', { generationId: sent.generationId });
    await device.end(sent.generationId);
    await device.next('typing:update', ({ typing }) => !typing);
    const again = await device.say('Count');
    await device.next('reply:delta', ({ generationId }) => generationId === again.generationId);
    await device.call('generation:cancel', { generationId: again.generationId });
  });
});

describe('generation:resume', () => {
  it('serves all text from an offset, then exactly what follows', async () => {
    await using phone = await openGuest(server);
    const { generationId } = await phone.say('Count');
    await phone.next('reply:delta', ({ offset }) => offset > 20);
    await using tablet = await WireClient.open(server.url, phone.token);
    const resumed = await tablet.call('generation:resume', { generationId, offset: 7 });
    expect(resumed).toMatchObject({ offset: 7, status: 'running' });
    expect(resumed.message).toBeUndefined();
    const from = 7 + resumed.text.length;
    await tablet.next('reply:delta', ({ offset }) => offset > from + 10);
    await phone.call('generation:cancel', { generationId });
    const end = await tablet.end(generationId);
    const later = tablet.all('reply:delta').filter(({ offset }) => offset >= from);
    expect(later[0]?.offset).toBe(from);
    expect(`0123456${resumed.text}${later.map(({ text }) => text).join('')}`).toBe(end.message.text);
  });

  it('serves an ended reply with its message, and refuses offsets that are none', async () => {
    await using device = await openGuest(server);
    const { generationId } = await device.say('Count');
    await device.next('reply:delta');
    await device.call('generation:cancel', { generationId });
    const { message } = await device.end(generationId);
    const resumed = await device.call('generation:resume', { generationId, offset: 1 });
    expect(resumed).toMatchObject({
      text: message.text.slice(1),
      offset: 1,
      status: 'cancelled',
      message: { text: message.text },
    });
    for (const offset of [-1, 0.5, message.text.length + 1, '0']) {
      expect(await device.codeOf('generation:resume', { generationId, offset })).toBe('invalid_payload');
    }
  });
});

describe('prompt:trace', () => {
  it('tells what went into a prompt, from the acknowledgement on and after a cancel', async () => {
    await using device = await openGuest(server);
    const { generationId, messageId } = await device.say('Count for me');
    const { trace } = await device.call('prompt:trace', { generationId });
    expect(trace).toMatchObject({ template: 'transcript@1', model: 'tiny-counting', budgetTokens: 400 });
    expect(trace.parts.at(-1)).toMatchObject({ kind: 'recent', text: 'Count for me', messageId });
    expect(trace.promptTokens).toBeGreaterThan(trace.parts.reduce((sum, { tokens }) => sum + tokens, 0));
    await device.call('generation:cancel', { generationId });
    await device.end(generationId);
    expect((await device.call('prompt:trace', { generationId })).trace).toEqual(trace);
  });
});

describe('a burst', () => {
  it('is answered in order: what has no text is superseded, replies never overlap', async () => {
    await using device = await openGuest(server);
    const sent = [await device.say('One.'), await device.say('Two.'), await device.say('Three.')];
    const last = sent[2]?.generationId ?? '';
    await device.next('reply:delta', ({ generationId }) => generationId === last);
    await device.call('generation:cancel', { generationId: last });
    const ends = await Promise.all(sent.map(({ generationId }) => device.end(generationId)));
    // One that had shown text before the next message came is finished first.
    const superseded = ends.filter(({ finishReason }) => finishReason === 'superseded');
    expect(superseded.every(({ message }) => message.text === '')).toBe(true);
    expect(ends[2]?.message.text).not.toBe('');
    const speaking = device.all('reply:delta').map(({ generationId }) => generationId);
    const turns = speaking.filter((generationId, index) => generationId !== speaking[index - 1]);
    expect(new Set(turns).size).toBe(turns.length);
  });
});
