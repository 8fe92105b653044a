/** The clock of a machine is set forward and back while people talk: what was said first stays first. */
import { expect, it } from 'vitest';
import { openTurnWorld } from './turn-world.ts';

const noon = Date.parse('2026-11-30T12:00:00Z');
const hour = 3_600_000;
/** Forward by ten years, back to the epoch, and to and fro by what daylight saving and a drifting clock make. */
const jumps = [noon, noon - hour, noon + 87_600 * hour, 0, noon + 1, noon - 1];

it('keeps messages in the order in which they were stored, for people and for the model', async () => {
  await using world = await openTurnWorld([{ say: 'Yes.' }]);
  let conversationId = '';
  let leafId = '';
  for (const [n, at] of jumps.entries()) {
    world.setClock(at);
    const sent = await world.send(`Message ${n}`);
    await sent.reply.stream.ended();
    conversationId = sent.user.conversationId;
    leafId = sent.reply.turn.companion.messageId;
  }
  const { messages } = await world.store.branchPage({ conversationId, leafId, limit: 50 });
  const said = jumps.flatMap((_, n) => [`Message ${n}`, 'Yes.']);
  expect(messages.map(({ text }) => text)).toStrictEqual(said);
  expect(messages.map(({ seq }) => seq)).toStrictEqual(said.map((_, n) => n + 1));
  const changed = await world.store.changedAfter(conversationId, 0);
  expect(changed.map(({ text }) => text)).toStrictEqual(said);
  const prompt = JSON.stringify(world.generator.requests.at(-1)?.prompt);
  const places = jumps.map((_, n) => prompt.indexOf(`Message ${n}`));
  expect(places).toStrictEqual([...places].sort((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
});

it('does not make a conversation older by a message', async () => {
  await using world = await openTurnWorld([{ say: 'Yes.' }]);
  world.setClock(noon);
  const { reply, user } = await world.send('First');
  await reply.stream.ended();
  world.setClock(noon - hour);
  const second = await world.send('Second');
  await second.reply.stream.ended();
  const conversation = await world.store.conversation('u_1', user.conversationId);
  expect(conversation?.updatedAt).toBe(noon);
});

it('takes up after a restart in the past what was being answered', async () => {
  await using world = await openTurnWorld([{ say: 'Half' }, { wait: new Promise(() => {}) }]);
  world.setClock(noon);
  const { reply, generationId } = await world.send('Go on');
  const reader = reply.stream.read(0);
  while (reply.stream.text === '') await reader.wait();
  const next = await world.restart([{ say: ' and whole.' }], noon - 24 * hour);
  const end = await next.replies.find(generationId)?.stream.ended();
  expect(end).toMatchObject({ kind: 'end', message: { text: 'Half and whole.', status: 'done' } });
});

it('counts the turns of the day that the clock says, and forgets none of it by going back', async () => {
  await using world = await openTurnWorld([{ say: 'Yes.' }]);
  world.allowTurns(1);
  world.setClock(noon);
  await (await world.send('Today')).reply.stream.ended();
  world.setClock(noon + 24 * hour);
  await (await world.send('Tomorrow')).reply.stream.ended();
  world.setClock(noon + 24 * hour - 1);
  await expect(world.send('Tomorrow again')).rejects.toMatchObject({ code: 'rate_limited' });
});
