/** A server whose store is on MongoDB, and what it does when that breaks off or dies. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasMongoServer, type MongoServer, startMongoServer, withFailing } from '../support/mongo-server.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openGuest, WireClient } from '../support/wire-client.ts';

describe.runIf(hasMongoServer())('a server with its store on MongoDB', () => {
  let mongo: MongoServer;
  let uri: string;
  let server: TestServer;
  beforeAll(async () => {
    mongo = await startMongoServer();
    uri = mongo.newDatabase();
    server = await startTestServer({ env: { MONGODB_URI: uri } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await mongo[Symbol.asyncDispose]();
  });

  it('keeps a conversation through a restart', async () => {
    await using device = await openGuest(server);
    const sent = await device.say('Hello');
    const { message } = await device.end(sent.generationId);
    await server.stop();
    server = await startTestServer({ env: { MONGODB_URI: uri }, dataDirectory: server.dataDirectory });
    await using again = await WireClient.open(server.url, device.token);
    expect((await again.call('conversation:open', {})).messages).toMatchObject([{ text: 'Hello' }, message]);
  });

  it('answers what it had stored when the answer of the store got lost, once it is asked again', async () => {
    await using device = await openGuest(server);
    await using other = await WireClient.open(server.url, device.token);
    const payload = { clientMessageId: crypto.randomUUID(), text: 'Hello' };
    await withFailing(uri, ['insert'], async () => {
      expect(await device.codeOf('message:send', payload)).toBe('store_unavailable');
    });
    const answers = await Promise.all([1, 2, 3].map(() => device.call('message:send', payload)));
    expect(answers.map(({ duplicate }) => duplicate)).toEqual([true, true, true]);
    const [sent] = answers;
    const end = await device.end(sent!.generationId);
    expect(end.message.status).toBe('done');
    expect((await other.end(sent!.generationId)).message).toEqual(end.message);
    expect((await device.call('conversation:open', {})).messages).toHaveLength(2);
  });

  it('takes what looks like an operator for the text that it is', async () => {
    await using device = await openGuest(server);
    for (const text of ['$where', '{"$ne":null}', '$set.text', 'a.$[].b', '{$gt:""}']) {
      const { conversation } = await device.call('conversation:create', { title: text });
      const { conversationId } = conversation;
      const clientMessageId = crypto.randomUUID();
      const sent = await device.call('message:send', { clientMessageId, conversationId, text });
      const { message } = await device.end(sent.generationId);
      await device.call('reaction:set', { messageId: message.messageId, kind: 'up', comment: text });
      const opened = await device.call('conversation:open', { conversationId });
      expect(opened.conversation.title).toBe(text);
      expect(opened.messages).toMatchObject([{ text }, { reaction: { kind: 'up', comment: text } }]);
      const { hits } = await device.call('history:search', { query: text, conversationId });
      expect(hits.every((hit) => hit.message.conversationId === conversationId)).toBe(true);
    }
  });

  it('refuses while the database is gone, says so in /readyz, and goes on by itself', async () => {
    await using device = await openGuest(server);
    await mongo.kill();
    const payload = { clientMessageId: crypto.randomUUID(), text: 'Hello' };
    expect(await device.codeOf('message:send', payload)).toBe('store_unavailable');
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    await mongo.restart();
    const sent = await device.call('message:send', payload);
    expect((await device.end(sent.generationId)).message.status).toBe('done');
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});
