/** Every event with everything that can be wrong with its payload, field by field; after all of it the device goes on as before. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientEvents } from '../../../src/protocol/events.ts';
import { startTestServer, type TestServer } from '../../support/start-test-server.ts';
import { openGuest, type WireClient } from '../../support/wire-client.ts';

let server: TestServer;
let device: WireClient;
beforeAll(async () => {
  server = await startTestServer();
  device = await openGuest(server);
});
afterAll(async () => {
  device.socket.disconnect();
  await server[Symbol.asyncDispose]();
});

const id = 'some_id';
const uuid = '6f1f4ad0-5c0e-4c42-8d39-0f9df1b7c001';

/** Well-formed, with every optional field; what they name does not exist. */
const payloads: Readonly<Record<keyof typeof clientEvents, Readonly<Record<string, unknown>>>> = {
  'conversation:list': { cursor: 'x', limit: 10 },
  'conversation:create': { title: 'Plans', personaId: id },
  'conversation:rename': { conversationId: id, title: 'Plans' },
  'conversation:delete': { conversationId: id },
  'conversation:read': { conversationId: id, seq: 1 },
  'conversation:open': { conversationId: id, afterRev: 0, limit: 10 },
  'history:page': { conversationId: id, beforeSeq: 5, limit: 10 },
  'history:search': { query: 'sea', conversationId: id, cursor: 'x', limit: 10 },
  'message:send': { clientMessageId: uuid, conversationId: id, text: 'Hello', parentId: id },
  'message:edit': { clientMessageId: uuid, messageId: id, text: 'Hello' },
  'message:delete': { messageId: id },
  'reply:regenerate': { clientRequestId: uuid, messageId: id },
  'reply:alternatives': { messageId: id },
  'reply:choose': { messageId: id, candidateId: id },
  'branch:select': { messageId: id },
  'generation:cancel': { generationId: id },
  'generation:resume': { generationId: id, offset: 0 },
  'reaction:set': { messageId: id, kind: 'up', comment: 'Thank you' },
  'reaction:clear': { messageId: id },
  'session:feedback': { conversationId: id, rating: 'same' },
  'typing:set': { conversationId: id, typing: true },
  'settings:get': {},
  'settings:set': { trainingConsent: false, styleEnabled: true, locale: 'en', timeZone: 'Europe/Berlin' },
  'auth:refresh': { token: 'x' },
  'prompt:trace': { generationId: id },
};
const optional = new Set([
  ...['conversation:list cursor', 'conversation:list limit', 'conversation:create title'],
  ...['conversation:create personaId', 'conversation:open conversationId', 'conversation:open afterRev'],
  ...[
    'conversation:open limit',
    'history:page beforeSeq',
    'history:page limit',
    'history:search conversationId',
  ],
  ...[
    'history:search cursor',
    'history:search limit',
    'message:send conversationId',
    'message:send parentId',
  ],
  ...['reaction:set comment', 'settings:set trainingConsent', 'settings:set styleEnabled'],
  ...['settings:set locale', 'settings:set timeZone'],
]);
/** Texts of people, which may be anything that can be read; ids and names are narrower. */
const isText = (field: string) => ['text', 'title', 'query', 'comment'].includes(field);

/** What no field of this type takes. `parentId` alone may be null. */
function wrongValues(field: string, valid: unknown): readonly unknown[] {
  const always = [{}, [], { $ne: null }, { $gt: '' }, [valid], { length: 1 }];
  const notNull = field === 'parentId' ? [] : [null];
  if (typeof valid === 'boolean') return [...always, ...notNull, 0, 1, 'true', ''];
  if (typeof valid === 'number') return [...always, ...notNull, -1, 0.5, '1', true, 1e300, '$where'];
  const texts = [...always, ...notNull, 7, true];
  if (field === 'token') return [...texts, 'x'.repeat(8193)];
  if (field === 'cursor') return [...texts, 'x'.repeat(257)];
  const surrogates = ['\ud800', 'a\udc00b'];
  if (field === 'comment') return [...texts, ...surrogates];
  if (isText(field)) return [...texts, ...surrogates, '', ' \n\t', '\u200b'];
  return [...texts, ...surrogates, '', 'no.pe$', '__proto__ ', '$where', 'x'.repeat(65), '\u0000'];
}

it('the table names every event', () => {
  expect(Object.keys(payloads).toSorted()).toEqual(Object.keys(clientEvents).toSorted());
});

describe.each(Object.entries(payloads))('%s', (event, payload) => {
  const code = (...args: unknown[]) => device.codeOf(event, ...args);

  it('is well-formed in the table: what is refused is what it names', async () => {
    const answers = ['accepted', 'not_found', 'unauthenticated'];
    // The cursors of the table were given by nobody.
    const { cursor: _, ...known } = payload;
    expect(answers).toContain(await code(known));
  });

  it('takes one object as its payload, and nothing else', async () => {
    for (const args of [[], [null], [[]], ['text'], [7], [true], [[payload]], [payload, payload]])
      expect(await code(...args), JSON.stringify(args)).toBe('invalid_payload');
  });

  it('takes no field that it does not know, and none that reaches into prototypes', async () => {
    for (const name of [
      'surprise',
      '$where',
      'toString',
      'userId',
      'constructor',
      'prototype',
      '__proto__',
    ]) {
      const more = JSON.parse(
        JSON.stringify(payload).replace(/^\{/, `{"${name}":{"admin":true},`).replace(',}', '}'),
      );
      expect(await code(more), name).toBe('invalid_payload');
    }
  });

  const fields = Object.keys(payload);
  it('misses what it needs, field by field', async () => {
    const { cursor: _, ...known } = payload;
    for (const field of Object.keys(known)) {
      const { [field]: __, ...rest } = known;
      const isRefused = (await code(rest)) === 'invalid_payload';
      expect(isRefused, field).toBe(!optional.has(`${event} ${field}`));
    }
  });

  it('refuses every wrong value, field by field', async () => {
    for (const field of fields)
      for (const value of wrongValues(field, payload[field]))
        expect(await code({ ...payload, [field]: value }), `${field}: ${JSON.stringify(value)}`).toBe(
          'invalid_payload',
        );
  });

  it('refuses texts over their size by bytes', async () => {
    for (const field of fields.filter(isText))
      expect(['too_large', 'invalid_payload']).toContain(
        await code({ ...payload, [field]: 'é'.repeat(4001) }),
      );
  });
});

it('goes on as before after all of it', async () => {
  const { reply } = await device.talk('Are you still there?');
  expect(reply.status).toBe('done');
  expect((await device.call('conversation:open', {})).messages).toHaveLength(2);
});
