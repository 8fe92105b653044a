/**
 * One turn from the stored message to the stored reply, on the real embedded store and a scripted generator: whatever goes
 * wrong, the reply ends once, with the text that was shown, and is durable before its stream ends.
 */
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/std/coded-error.ts';
import type { Store } from '../../../src/storage/store.ts';
import { openTurnWorld } from './turn-world.ts';

describe('answerTurn', () => {
  it('stores the whole reply before the stream ends, with its set-up, candidates and trace', async () => {
    await using world = await openTurnWorld([{ say: 'Hello' }, { say: ' there' }]);
    const { reply, generationId } = await world.send('Hi');
    const end = await reply.stream.ended();
    expect(end).toMatchObject({
      kind: 'end',
      finishReason: 'stop',
      message: { text: 'Hello there', status: 'done' },
    });
    const generation = await world.store.generation('u_1', generationId);
    expect(generation).toMatchObject({
      status: 'done',
      text: 'Hello there',
      attempts: 1,
      setup: { model: 'scripted', template: 'transcript@1' },
      candidates: [{ text: 'Hello there', index: 0, filterReason: null }],
    });
    expect(generation?.shownCandidateId).toBe(generation?.candidates[0]?.candidateId);
    expect((await world.store.promptTrace('u_1', generationId, 0))?.parts.at(-1)?.text).toBe('Hi');
  });

  it('keeps what was shown when the user stops it', async () => {
    await using world = await openTurnWorld([{ say: 'Hello' }, { wait: new Promise(() => {}) }]);
    const { reply, generationId } = await world.send('Hi');
    const reader = reply.stream.read(0);
    while (reply.stream.text === '') await reader.wait();
    world.replies.cancel(generationId);
    expect(await reply.stream.ended()).toMatchObject({
      kind: 'end',
      finishReason: 'cancelled',
      message: { text: 'Hello', status: 'cancelled' },
    });
  });

  it('refuses more than the turns of a day until the next one begins, and repeats what it took', async () => {
    await using world = await openTurnWorld([{ say: 'Hello' }]);
    world.allowTurns(1);
    const clientMessageId = crypto.randomUUID();
    const { reply } = await world.send('One.', clientMessageId);
    await reply.stream.ended();
    // The clock stands at one second past midnight.
    await expect(world.send('Two.')).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 86_400_000 - 1000,
    });
    await expect(world.send('One.', clientMessageId)).rejects.toThrow('not stored: duplicate');
  });

  it('lets the next message supersede a reply without text, and answers both', async () => {
    await using world = await openTurnWorld([{ wait: Promise.resolve() }, { say: 'To both.' }]);
    const first = await world.send('One.');
    const second = await world.send('Two.');
    expect(await first.reply.stream.ended()).toMatchObject({
      finishReason: 'superseded',
      message: { text: '' },
    });
    expect(await second.reply.stream.ended()).toMatchObject({
      finishReason: 'stop',
      message: { text: 'To both.' },
    });
    const prompt = world.generator.requests
      .at(-1)
      ?.prompt.map(({ text }) => text)
      .join('');
    expect(prompt).toContain('One. Two.');
  });

  it('shows a fixed line when the model says nothing', async () => {
    await using world = await openTurnWorld([]);
    const { reply } = await world.send('Hi');
    const end = await reply.stream.ended();
    expect(end).toMatchObject({ kind: 'end', finishReason: 'filtered', message: { status: 'done' } });
    expect(end.message.text).toBe(reply.stream.text);
    expect(end.message.text).not.toBe('');
  });

  it('ends as failed, with its text, when the generator fails; the code reaches the reader', async () => {
    await using world = await openTurnWorld([{ say: 'Half' }, { fail: 'generation_failed' }]);
    const { reply, generationId } = await world.send('Hi');
    const end = await reply.stream.ended();
    expect(end).toMatchObject({
      kind: 'fail',
      message: { text: 'Half', status: 'failed' },
      error: { code: 'generation_failed' },
    });
    expect(await world.store.generation('u_1', generationId)).toMatchObject({
      status: 'failed',
      finishReason: null,
    });
  });

  it('turns a bug into a failed reply as well', async () => {
    await using world = await openTurnWorld([{ break: new TypeError('x is not a function') }]);
    const { reply } = await world.send('Hi');
    expect((await reply.stream.ended()).kind).toBe('fail');
    expect(world.failures[0]).toBeInstanceOf(TypeError);
  });

  it('tries again when the end cannot be stored at first', async () => {
    let left = 3;
    const flaky = (store: Store): Store =>
      Object.assign(Object.create(store) as Store, {
        endGeneration: async (end: Parameters<Store['endGeneration']>[0]) => {
          if (left-- > 0) throw new CodedError('store_unavailable', 'disk full');
          return store.endGeneration(end);
        },
      });
    await using world = await openTurnWorld([{ say: 'Kept' }], flaky);
    const { reply } = await world.send('Hi');
    expect(await reply.stream.ended()).toMatchObject({
      kind: 'end',
      message: { text: 'Kept', status: 'done' },
    });
    expect(world.failures).toHaveLength(3);
  });

  it('waits for a store that is away when the reply begins, unless it is stopped', async () => {
    let away = 2;
    let onAway = () => {};
    const flaky = (store: Store): Store =>
      Object.assign(Object.create(store) as Store, {
        startGeneration: async (start: Parameters<Store['startGeneration']>[0]) => {
          if (away-- <= 0) return store.startGeneration(start);
          onAway();
          throw new CodedError('store_unavailable', 'away');
        },
      });
    await using world = await openTurnWorld([{ say: 'Here' }], flaky);
    const { reply } = await world.send('Hi');
    expect(await reply.stream.ended()).toMatchObject({ kind: 'end', message: { text: 'Here' } });
    expect(world.failures).toHaveLength(2);
    away = 1000;
    const { reply: stopped } = await world.send('And now?');
    onAway = () => stopped.stop('cancelled');
    expect(await stopped.stream.ended()).toMatchObject({ finishReason: 'cancelled' });
    expect(world.generator.requests).toHaveLength(1);
  });

  it('says so when the store stays away, and the next start takes the reply up again', async () => {
    const broken = (store: Store): Store =>
      Object.assign(Object.create(store) as Store, {
        endGeneration: () => Promise.reject(new CodedError('store_unavailable', 'disk full')),
      });
    await using world = await openTurnWorld([{ say: 'Lost' }], broken);
    const { reply, generationId } = await world.send('Hi');
    expect(await reply.stream.ended()).toMatchObject({ kind: 'fail', error: { code: 'store_unavailable' } });
    expect(await world.store.generation('u_1', generationId)).toMatchObject({
      status: 'running',
      text: 'Lost',
    });
    const { recovered, replies } = await world.restart([{ say: ' and found' }]);
    expect(recovered).toEqual({ resumed: 1, failed: 0 });
    expect((await replies.find(generationId)?.stream.ended())?.message.text).toBe('Lost and found');
  });

  it('logs text before it shows it, and shows none that the log does not take until it does', async () => {
    let refusals = 0;
    const seen: string[] = [];
    const flaky = (store: Store): Store =>
      Object.assign(Object.create(store) as Store, {
        appendText: async (piece: Parameters<Store['appendText']>[0]) => {
          if (piece.text.includes(' b') && refusals++ < 1) throw new CodedError('store_unavailable', 'busy');
          seen.push(`${piece.offset}${piece.text}`);
          return store.appendText(piece);
        },
      });
    await using world = await openTurnWorld([{ say: 'a' }, { say: ' b' }, { say: ' c' }], flaky);
    const { reply } = await world.send('Hi');
    expect((await reply.stream.ended()).message.text).toBe('a b c');
    expect(seen).toEqual(['0a', '1 b c']);
    expect(world.failures).toHaveLength(1);
  });

  it('says a fixed line at load level 4, without asking the model', async () => {
    await using world = await openTurnWorld([{ say: 'never said' }]);
    Object.assign(world.generator, { level: () => 4 });
    const { reply, generationId } = await world.send('Hi');
    const end = await reply.stream.ended();
    expect(end).toMatchObject({ kind: 'end', finishReason: 'canned', message: { status: 'done' } });
    expect(end.message.text).not.toBe('');
    expect(world.generator.requests).toEqual([]);
    expect(reply.stream.level).toBe(4);
    expect((await world.store.generation('u_1', generationId))?.race).toMatchObject({
      level: 4,
      candidates: 0,
    });
  });

  it('keeps fixed lines out of later prompts, so that the next reply answers both messages', async () => {
    await using world = await openTurnWorld([{ say: 'To both.' }]);
    Object.assign(world.generator, { level: () => 4 });
    await (await world.send('One.')).reply.stream.ended();
    Object.assign(world.generator, { level: () => 1 });
    await (await world.send('Two.')).reply.stream.ended();
    const texts = world.generator.requests.at(-1)?.prompt.map(({ text }) => text);
    expect(texts?.join('')).toContain('One. Two.');
  });
});
