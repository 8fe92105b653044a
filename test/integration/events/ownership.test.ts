/** What belongs to somebody else looks exactly like what does not exist; a malformed id is something else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, type WireClient } from '../../support/wire-client.ts';

let server: TestServer;
let owner: WireClient;
let stranger: WireClient;
let ids: Record<'conversationId' | 'userMessageId' | 'messageId' | 'generationId' | 'candidateId', string>;
beforeAll(async () => {
  server = await startTestServer();
  owner = await openGuest(server);
  stranger = await openGuest(server);
  const { reply, messageId: userMessageId, ...sent } = await owner.talk('This is private.');
  const { messageId } = reply;
  const { alternatives } = await owner.call('reply:alternatives', { messageId });
  ids = { ...sent, userMessageId, messageId, candidateId: alternatives[0]?.candidateId ?? '' };
});
afterAll(async () => {
  owner.socket.disconnect();
  stranger.socket.disconnect();
  await server[Symbol.asyncDispose]();
});

type Ids = typeof ids;
const mapIds = (to: () => string) => Object.fromEntries(Object.keys(ids).map((name) => [name, to()])) as Ids;
const events: [string, (ids: Ids) => Record<string, unknown>][] = [
  ['conversation:open', ({ conversationId }) => ({ conversationId })],
  ['history:page', ({ conversationId }) => ({ conversationId })],
  [
    'message:send',
    ({ conversationId }) => ({ clientMessageId: crypto.randomUUID(), conversationId, text: 'let me in' }),
  ],
  [
    'message:edit',
    ({ userMessageId: messageId }) => ({
      clientMessageId: crypto.randomUUID(),
      messageId,
      text: 'let me in',
    }),
  ],
  ['reply:regenerate', ({ messageId }) => ({ clientRequestId: crypto.randomUUID(), messageId })],
  ['reply:alternatives', ({ messageId }) => ({ messageId })],
  ['reply:choose', ({ messageId, candidateId }) => ({ messageId, candidateId })],
  ['branch:select', ({ messageId }) => ({ messageId })],
  ['generation:cancel', ({ generationId }) => ({ generationId })],
  ['generation:resume', ({ generationId }) => ({ generationId, offset: 0 })],
  ['reaction:set', ({ messageId }) => ({ messageId, kind: 'up' })],
  ['reaction:clear', ({ messageId }) => ({ messageId })],
  ['prompt:trace', ({ generationId }) => ({ generationId })],
  ['conversation:rename', ({ conversationId }) => ({ conversationId, title: 'mine' })],
  ['conversation:read', ({ conversationId }) => ({ conversationId, seq: 1 })],
  ['history:search', ({ conversationId }) => ({ conversationId, query: 'private' })],
  ['typing:set', ({ conversationId }) => ({ conversationId, typing: true })],
  ['session:feedback', ({ conversationId }) => ({ conversationId, rating: 'same' })],
  // These leave nothing to ask for.
  ['message:delete', ({ userMessageId: messageId }) => ({ messageId })],
  ['conversation:delete', ({ conversationId }) => ({ conversationId })],
];

describe.each(events)('%s', (event, payload) => {
  it('answers the owner, and the same not_found for foreign and missing ids', async () => {
    const missing = mapIds(() => 'nope');
    const foreign = await stranger.raw(event, payload(ids));
    expect(foreign).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect(await stranger.raw(event, payload(missing))).toEqual(foreign);
    expect(await owner.codeOf(event, payload(ids))).toBe('accepted');
  });

  it('answers malformed ids and unknown fields with invalid_payload', async () => {
    // Refused by its form, before anything is looked up: also when it was deleted by the test above.
    for (const id of ['no.pe$', '', 'x'.repeat(65), 7, null, { $ne: null }, ['a']]) {
      const malformed = mapIds(() => id as string);
      expect(await stranger.codeOf(event, payload(malformed))).toBe('invalid_payload');
    }
    expect(await owner.codeOf(event, { ...payload(ids), surprise: 1 })).toBe('invalid_payload');
  });
});
