/**
 * One turn from the stored message to the stored reply, on the real embedded store and a scripted generator: whatever goes
 * wrong, the reply ends once, with the text that was shown, and is durable before its stream ends.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AnswerDeps, answerTurn } from '../../../src/conversation/answer.ts';
import { failUnfinished } from '../../../src/conversation/recovery.ts';
import { Replies } from '../../../src/conversation/replies.ts';
import { type Sent, sendMessage } from '../../../src/conversation/send-message.ts';
import { transcriptTemplate } from '../../../src/conversation/transcript-template.ts';
import { createIds } from '../../../src/random-ids.ts';
import { CodedError } from '../../../src/std/coded-error.ts';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { createScriptedGenerator, type ScriptStep } from '../../support/scripted-generator.ts';

const clock = { now: () => 1_000, monotonic: () => 0 };

async function setUp(script: readonly ScriptStep[], wrap: (store: Store) => Store = (store) => store) {
  const directory = await mkdtemp(join(tmpdir(), 'amity-answer-'));
  const real = await openEmbeddedStore({ file: join(directory, 'amity.db'), now: clock.now });
  const store = wrap(real);
  const generator = createScriptedGenerator(() => script);
  const failures: unknown[] = [];
  const deps: AnswerDeps = {
    store,
    generator,
    prompt: {
      persona: { personaId: 'p', name: 'Amity', instructions: 'be kind' },
      template: transcriptTemplate,
      counter: { countTokens: (segments) => segments.length },
      model: 'scripted',
      budgetTokens: 100,
    },
    clock,
    ids: createIds(),
    options: {
      candidates: 1,
      replyTokensMax: 10,
      replyTokensSoftMax: 10,
      sampling: { temperature: 1, topK: 1, topP: 1, repetitionPenalty: 1 },
    },
    observer: { started() {}, firstText() {}, ended() {}, failed: (_turn, error) => failures.push(error) },
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
  return {
    store: real,
    generator,
    failures,
    replies,
    send,
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
      propensity: 1,
      setup: { model: 'scripted', template: 'transcript@1', level: 1, candidates: 1 },
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

  it('says so when the store stays away, and the next start marks the reply as failed', async () => {
    const broken = (store: Store): Store =>
      Object.assign(Object.create(store) as Store, {
        endGeneration: () => Promise.reject(new CodedError('store_unavailable', 'disk full')),
      });
    await using world = await setUp([{ say: 'Lost' }], broken);
    const { reply, generationId } = await world.send('Hi');
    expect(await reply.stream.ended()).toMatchObject({ kind: 'fail', error: { code: 'store_unavailable' } });
    expect(await failUnfinished(world.store, 2_000)).toBe(1);
    expect(await world.store.generation('u_1', generationId)).toMatchObject({ status: 'failed' });
    expect(await failUnfinished(world.store, 3_000)).toBe(0);
  });
});
