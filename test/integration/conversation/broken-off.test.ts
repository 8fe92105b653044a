/** Replies whose worker or process died go on from the text that was shown, in the real embedded store. */
import { describe, expect, it } from 'vitest';
import { openTurnWorld } from './turn-world.ts';

describe('a lost worker', () => {
  it('is nothing that a reader sees: the reply goes on from its text in another', async () => {
    await using world = await openTurnWorld(({ written }) =>
      written === '' ? [{ say: 'Half of it' }, { lose: 'killed' }] : [{ say: ', and the rest.' }],
    );
    const { reply, generationId } = await world.send('Hi');
    const reader = reply.stream.read(0);
    while (reply.stream.text === '') await reader.wait();
    expect(reader.take()).toMatchObject({ kind: 'start' });
    expect(await reply.stream.ended()).toMatchObject({ message: { text: 'Half of it, and the rest.' } });
    expect([reader.take(), reader.take()]).toMatchObject([
      { kind: 'delta', offset: 0, text: 'Half of it, and the rest.' },
      { kind: 'end', finishReason: 'stop' },
    ]);
    expect(world.generator.requests[1]).toMatchObject({ written: 'Half of it', tokensMax: 9 });
    expect(world.losses).toEqual([{ reason: 'killed', charactersWritten: 10 }]);
    expect(await world.store.generation('u_1', generationId)).toMatchObject({ status: 'done', attempts: 1 });
  });

  it('fails a reply that loses a second one, with the text that was shown', async () => {
    await using world = await openTurnWorld([{ say: 'Half' }, { lose: 'killed' }]);
    const { reply } = await world.send('Hi');
    expect(await reply.stream.ended()).toMatchObject({
      kind: 'fail',
      message: { text: 'HalfHalf', status: 'failed' },
      error: { code: 'generation_failed', message: 'killed' },
    });
    expect(world.generator.requests).toHaveLength(2);
  });

  it('ends a reply that was stopped, which then does not go on', async () => {
    const hanging = { wait: new Promise<void>(() => {}) };
    await using world = await openTurnWorld([{ say: 'Half' }, hanging, { lose: 'killed' }]);
    const { reply, generationId } = await world.send('Hi');
    while (reply.stream.text === '') await reply.stream.read(0).wait();
    world.replies.cancel(generationId);
    expect((await reply.stream.ended()).message).toMatchObject({ text: 'Half', status: 'cancelled' });
  });

  it('costs a finished reply its alternative only', async () => {
    await using world = await openTurnWorld([{ say: 'Done' }, { alternative: null }]);
    const { reply } = await world.send('Hi');
    expect(await reply.stream.ended()).toMatchObject({ kind: 'end', message: { text: 'Done' } });
    expect(world.failures).toEqual([]);
  });
});

describe('recoverReplies', () => {
  const hanging = { wait: new Promise<void>(() => {}) };

  it('continues a reply from its prompt and the text that was shown', async () => {
    await using world = await openTurnWorld([{ say: 'Half of it' }, hanging]);
    const { reply, generationId } = await world.send('Hi');
    while (reply.stream.text === '') await reply.stream.read(0).wait();
    const { recovered, replies, nextGenerator } = await world.restart([{ say: ', and the rest.' }]);
    expect(recovered).toEqual({ resumed: 1, failed: 0 });
    const again = replies.find(generationId)!;
    expect(again.stream.text).toBe('Half of it');
    const reader = again.stream.read('Half'.length);
    expect(reader.take()).toEqual({ kind: 'delta', offset: 4, text: ' of it' });
    expect((await again.stream.ended()).message.text).toBe('Half of it, and the rest.');
    expect(nextGenerator.requests[0]).toMatchObject({ written: 'Half of it', tokensMax: 9 });
    expect(await world.store.generation('u_1', generationId)).toMatchObject({ status: 'done', attempts: 2 });
  });

  it('begins one anew that had shown nothing, and one that was still queued', async () => {
    await using world = await openTurnWorld([hanging]);
    const first = await world.send('One.');
    while (!first.reply.stream.started) await first.reply.stream.read(0).wait();
    const { recovered, replies } = await world.restart([{ say: 'Here I am.' }]);
    expect(recovered).toEqual({ resumed: 1, failed: 0 });
    expect((await replies.find(first.generationId)?.stream.ended())?.message.text).toBe('Here I am.');
  });

  it('fails one that broke off twice, with the text that was shown: it may be what breaks the process', async () => {
    await using world = await openTurnWorld([{ say: 'Half' }, hanging]);
    const { reply, generationId } = await world.send('Hi');
    while (reply.stream.text === '') await reply.stream.read(0).wait();
    const second = await world.restart([{ say: ' more' }, hanging]);
    const again = second.replies.find(generationId)!;
    while (again.stream.text === 'Half') await again.stream.read(0).wait();
    const third = await world.restart([]);
    expect(third.recovered).toEqual({ resumed: 0, failed: 1 });
    expect(await world.store.message('u_1', reply.turn.companion.messageId)).toMatchObject({
      status: 'failed',
      text: 'Half more',
    });
  });

  it('counts no attempt for a process that died before its model was there', async () => {
    await using world = await openTurnWorld([{ say: 'Half' }, hanging]);
    const { reply, generationId } = await world.send('Hi');
    while (reply.stream.text === '') await reply.stream.read(0).wait();
    const loading = await world.restart([], 2_000, new Promise(() => {}));
    expect(loading.recovered).toEqual({ resumed: 1, failed: 0 });
    expect(loading.replies.find(generationId)?.status).toBe('queued');
    const { recovered, replies } = await world.restart([{ say: ' and half.' }]);
    expect(recovered).toEqual({ resumed: 1, failed: 0 });
    expect((await replies.find(generationId)?.stream.ended())?.message.text).toBe('Half and half.');
  });

  it('stops one at once that waits for the model', async () => {
    await using world = await openTurnWorld([{ say: 'Half' }, hanging]);
    const { reply, generationId } = await world.send('Hi');
    while (reply.stream.text === '') await reply.stream.read(0).wait();
    const { replies } = await world.restart([], 2_000, new Promise(() => {}));
    replies.cancel(generationId);
    expect(await replies.find(generationId)?.stream.ended()).toMatchObject({
      finishReason: 'cancelled',
      message: { text: 'Half' },
    });
  });

  it('fails one that nobody waits for any more', async () => {
    await using world = await openTurnWorld([hanging]);
    const { reply } = await world.send('Hi');
    while (!reply.stream.started) await reply.stream.read(0).wait();
    const { recovered } = await world.restart([], 1_000 + 10 * 60_000 + 1);
    expect(recovered).toEqual({ resumed: 0, failed: 1 });
    expect((await world.restart([])).recovered).toEqual({ resumed: 0, failed: 0 });
  });

  it('ends one that is as long as a reply may be without asking the model', async () => {
    await using world = await openTurnWorld([{ say: 'Ten tokens long' }, hanging]);
    const { reply, generationId } = await world.send('Hi');
    while (reply.stream.text === '') await reply.stream.read(0).wait();
    world.countsText(10);
    const { replies, nextGenerator } = await world.restart([{ say: '!' }]);
    const end = await replies.find(generationId)?.stream.ended();
    expect(end).toMatchObject({
      finishReason: 'length',
      message: { text: 'Ten tokens long', status: 'done' },
    });
    expect(nextGenerator.requests).toEqual([]);
  });
});
