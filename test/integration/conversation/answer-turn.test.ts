/**
 * One turn from the stored message to the stored reply, on the real embedded store and a scripted generator: whatever goes
 * wrong, the reply ends once, with the text that was shown, and is durable before its stream ends.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AnswerDeps, answerTurn } from '../../../src/conversation/answer.ts';
import { recoverReplies } from '../../../src/conversation/recovery.ts';
import { Replies } from '../../../src/conversation/replies.ts';
import { sendMessage } from '../../../src/conversation/send-message.ts';
import type { Sent } from '../../../src/conversation/store-message.ts';
import { transcriptTemplate } from '../../../src/conversation/transcript-template.ts';
import { createIds } from '../../../src/random-ids.ts';
import { CodedError } from '../../../src/std/coded-error.ts';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { createScriptedGenerator, type ScriptStep } from '../../support/scripted-generator.ts';

const clock = { now: () => 1_000, monotonic: () => 0 };

type Script = Parameters<typeof createScriptedGenerator>[0];

async function setUp(
  script: readonly ScriptStep[] | Script,
  wrap: (store: Store) => Store = (store) => store,
) {
  const directory = await mkdtemp(join(tmpdir(), 'amity-answer-'));
  const real = await openEmbeddedStore({ file: join(directory, 'amity.db'), now: clock.now });
  const store = wrap(real);
  const generator = createScriptedGenerator(typeof script === 'function' ? script : () => script);
  const failures: unknown[] = [];
  const losses: unknown[] = [];
  let perText = 1;
  const deps: AnswerDeps = {
    store,
    generator,
    prompt: {
      persona: { personaId: 'p', name: 'Amity', instructions: 'be kind' },
      template: transcriptTemplate,
      counter: { countTokens: (segments) => (segments.length === 1 ? perText : segments.length) },
      model: 'scripted',
      budgetTokens: 100,
    },
    clock,
    ids: createIds(),
    options: {
      replyTokensMax: 10,
      replyTokensSoftMax: 10,
      sampling: { temperature: 1, topK: 1, topP: 1, repetitionPenalty: 1 },
    },
    observer: {
      started() {},
      firstText() {},
      ended() {},
      failed: (_turn, error) => failures.push(error),
      workerLost: (_turn, facts) => losses.push(facts),
    },
    pause: () => Promise.resolve(),
  };
  const replies = new Replies((reply) => answerTurn(deps, reply));
  const send = async (
    text: string,
    clientMessageId = crypto.randomUUID(),
  ): Promise<Sent & { kind: 'created' }> => {
    const request = { userId: 'u_1', clientMessageId, conversationId: undefined, text, parentId: undefined };
    const sent = await sendMessage(
      { store, replies, generator, clock, ids: createIds(), digest: (body) => body, draining: () => false },
      request,
    );
    if (sent.kind !== 'created') throw new Error(`not stored: ${sent.kind}`);
    return sent;
  };
  /** As the next process finds it: the same store, nothing in memory. */
  const restart = async (nextScript: readonly ScriptStep[], now = 2_000, ready = Promise.resolve()) => {
    const nextGenerator = { ...createScriptedGenerator(() => nextScript), ready: () => ready };
    const nextDeps = { ...deps, store: real, generator: nextGenerator };
    const next = new Replies((reply) => answerTurn(nextDeps, reply));
    return {
      recovered: await recoverReplies({ store: real, replies: next }, now),
      replies: next,
      nextGenerator,
    };
  };
  return {
    store: real,
    generator,
    failures,
    losses,
    replies,
    send,
    restart,
    /** Tokens that a single text counts from now on. */
    countsText: (tokens: number) => {
      perText = tokens;
    },
    [Symbol.asyncDispose]: async () => {
      await real[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

describe('answerTurn', () => {
  it('stores the whole reply before the stream ends, with its set-up, candidates and trace', async () => {
    await using world = await setUp([{ say: 'Hello' }, { say: ' there' }]);
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
    expect((await world.store.promptTrace('u_1', generationId))?.parts.at(-1)?.text).toBe('Hi');
  });

  it('keeps what was shown when the user stops it', async () => {
    await using world = await setUp([{ say: 'Hello' }, { wait: new Promise(() => {}) }]);
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

  it('lets the next message supersede a reply without text, and answers both', async () => {
    await using world = await setUp([{ wait: Promise.resolve() }, { say: 'To both.' }]);
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
    await using world = await setUp([]);
    const { reply } = await world.send('Hi');
    const end = await reply.stream.ended();
    expect(end).toMatchObject({ kind: 'end', finishReason: 'filtered', message: { status: 'done' } });
    expect(end.message.text).toBe(reply.stream.text);
    expect(end.message.text).not.toBe('');
  });

  it('ends as failed, with its text, when the generator fails; the code reaches the reader', async () => {
    await using world = await setUp([{ say: 'Half' }, { fail: 'generation_failed' }]);
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
    await using world = await setUp([{ break: new TypeError('x is not a function') }]);
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
    await using world = await setUp([{ say: 'Kept' }], flaky);
    const { reply } = await world.send('Hi');
    expect(await reply.stream.ended()).toMatchObject({
      kind: 'end',
      message: { text: 'Kept', status: 'done' },
    });
    expect(world.failures).toHaveLength(3);
  });

  it('says so when the store stays away, and the next start takes the reply up again', async () => {
    const broken = (store: Store): Store =>
      Object.assign(Object.create(store) as Store, {
        endGeneration: () => Promise.reject(new CodedError('store_unavailable', 'disk full')),
      });
    await using world = await setUp([{ say: 'Lost' }], broken);
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
    await using world = await setUp([{ say: 'a' }, { say: ' b' }, { say: ' c' }], flaky);
    const { reply } = await world.send('Hi');
    expect((await reply.stream.ended()).message.text).toBe('a b c');
    expect(seen).toEqual(['0a', '1 b c']);
    expect(world.failures).toHaveLength(1);
  });

  it('says a fixed line at load level 4, without asking the model', async () => {
    await using world = await setUp([{ say: 'never said' }]);
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
    await using world = await setUp([{ say: 'To both.' }]);
    Object.assign(world.generator, { level: () => 4 });
    await (await world.send('One.')).reply.stream.ended();
    Object.assign(world.generator, { level: () => 1 });
    await (await world.send('Two.')).reply.stream.ended();
    const texts = world.generator.requests.at(-1)?.prompt.map(({ text }) => text);
    expect(texts?.join('')).toContain('One. Two.');
  });
});

describe('a lost worker', () => {
  it('is nothing that a reader sees: the reply goes on from its text in another', async () => {
    await using world = await setUp(({ written }) =>
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
    await using world = await setUp([{ say: 'Half' }, { lose: 'killed' }]);
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
    await using world = await setUp([{ say: 'Half' }, hanging, { lose: 'killed' }]);
    const { reply, generationId } = await world.send('Hi');
    while (reply.stream.text === '') await reply.stream.read(0).wait();
    world.replies.cancel(generationId);
    expect((await reply.stream.ended()).message).toMatchObject({ text: 'Half', status: 'cancelled' });
  });

  it('costs a finished reply its alternative only', async () => {
    await using world = await setUp([{ say: 'Done' }, { alternative: null }]);
    const { reply } = await world.send('Hi');
    expect(await reply.stream.ended()).toMatchObject({ kind: 'end', message: { text: 'Done' } });
    expect(world.failures).toEqual([]);
  });
});

describe('recoverReplies', () => {
  const hanging = { wait: new Promise<void>(() => {}) };

  it('continues a reply from its prompt and the text that was shown', async () => {
    await using world = await setUp([{ say: 'Half of it' }, hanging]);
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
    await using world = await setUp([hanging]);
    const first = await world.send('One.');
    while (!first.reply.stream.started) await first.reply.stream.read(0).wait();
    const { recovered, replies } = await world.restart([{ say: 'Here I am.' }]);
    expect(recovered).toEqual({ resumed: 1, failed: 0 });
    expect((await replies.find(first.generationId)?.stream.ended())?.message.text).toBe('Here I am.');
  });

  it('fails one that broke off twice, with the text that was shown: it may be what breaks the process', async () => {
    await using world = await setUp([{ say: 'Half' }, hanging]);
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
    await using world = await setUp([{ say: 'Half' }, hanging]);
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
    await using world = await setUp([{ say: 'Half' }, hanging]);
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
    await using world = await setUp([hanging]);
    const { reply } = await world.send('Hi');
    while (!reply.stream.started) await reply.stream.read(0).wait();
    const { recovered } = await world.restart([], 1_000 + 10 * 60_000 + 1);
    expect(recovered).toEqual({ resumed: 0, failed: 1 });
    expect((await world.restart([])).recovered).toEqual({ resumed: 0, failed: 0 });
  });

  it('ends one that is as long as a reply may be without asking the model', async () => {
    await using world = await setUp([{ say: 'Ten tokens long' }, hanging]);
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
