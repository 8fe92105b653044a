/** What belongs to somebody else looks exactly like what does not exist; a malformed id is something else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, type WireClient } from '../../support/wire-client.ts';

let server: TestServer;
let owner: WireClient;
let stranger: WireClient;
let ids: { conversationId: string; messageId: string; generationId: string };
beforeAll(async () => {
  server = await startTestServer();
  owner = await openGuest(server);
  stranger = await openGuest(server);
  const { conversationId, generationId } = await owner.say('This is private.');
  const { message } = await owner.end(generationId);
  ids = { conversationId, generationId, messageId: message.messageId };
});
afterAll(async () => {
  owner.socket.disconnect();
  stranger.socket.disconnect();
  await server[Symbol.asyncDispose]();
});

type Ids = typeof ids;
const events: [string, (ids: Ids) => Record<string, unknown>][] = [
  ['conversation:open', ({ conversationId }) => ({ conversationId })],
  ['history:page', ({ conversationId }) => ({ conversationId })],
  [
    'message:send',
    ({ conversationId }) => ({ clientMessageId: crypto.randomUUID(), conversationId, text: 'let me in' }),
  ],
  ['generation:cancel', ({ generationId }) => ({ generationId })],
  ['generation:resume', ({ generationId }) => ({ generationId, offset: 0 })],
  ['reaction:set', ({ messageId }) => ({ messageId, kind: 'up' })],
  ['reaction:clear', ({ messageId }) => ({ messageId })],
  ['prompt:trace', ({ generationId }) => ({ generationId })],
];

describe.each(events)('%s', (event, payload) => {
  it('answers the owner, and the same not_found for foreign and missing ids', async () => {
    const missing = { conversationId: 'nope', messageId: 'nope', generationId: 'nope' };
    const foreign = await stranger.raw(event, payload(ids));
    expect(foreign).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect(await stranger.raw(event, payload(missing))).toEqual(foreign);
    expect(await owner.codeOf(event, payload(ids))).toBe('accepted');
  });

  it('answers malformed ids and unknown fields with invalid_payload', async () => {
    for (const id of ['no.pe$', '', 'x'.repeat(65), 7, null, { $ne: null }, ['a']]) {
      const malformed = { conversationId: id, messageId: id, generationId: id } as unknown as Ids;
      expect(await stranger.codeOf(event, payload(malformed))).toBe('invalid_payload');
    }
    expect(await owner.codeOf(event, { ...payload(ids), surprise: 1 })).toBe('invalid_payload');
  });
});
