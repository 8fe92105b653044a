/**
 * Edits and further replies on the real embedded store and a scripted generator: what stops, what goes on, and in which order
 * turns are answered, whatever the store does meanwhile.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AnswerDeps, answerTurn } from '../../../src/conversation/answer.ts';
import { editMessage } from '../../../src/conversation/edit-message.ts';
import type { Message } from '../../../src/conversation/message.ts';
import { regenerateReply } from '../../../src/conversation/regenerate-reply.ts';
import { Replies } from '../../../src/conversation/replies.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import { sendMessage } from '../../../src/conversation/send-message.ts';
import type { TurnDeps } from '../../../src/conversation/take-turn.ts';
import { transcriptTemplate } from '../../../src/conversation/transcript-template.ts';
import { Windows } from '../../../src/conversation/windows.ts';
import { createIds } from '../../../src/random-ids.ts';
import { CodedError } from '../../../src/std/coded-error.ts';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { createScriptedGenerator, type ScriptStep } from '../../support/scripted-generator.ts';

const clock = { now: () => 1_000, monotonic: () => 0 };
const userId = 'u_1';
const endless: readonly ScriptStep[] = [{ say: 'and so on' }, { wait: new Promise(() => {}) }];

type Made = { readonly reply: Reply; readonly generationId: string };

async function setUp(wrap: (store: Store) => Store = (store) => store) {
  const directory = await mkdtemp(join(tmpdir(), 'amity-versions-'));
  const real = await openEmbeddedStore({ file: join(directory, 'amity.db') });
  const store = wrap(real);
  const scripts: (readonly ScriptStep[])[] = [];
  const generator = createScriptedGenerator(() => scripts.shift() ?? [{ say: 'A reply.' }]);
  const ids = createIds(clock);
  const answerDeps: AnswerDeps = {
    ...{ store, generator, clock, ids, windows: new Windows(store, clock) },
    prompt: {
      persona: { personaId: 'p', name: 'Amity', instructions: 'be kind' },
      template: transcriptTemplate,
      counter: { countTokens: (segments) => segments.length },
      model: 'scripted',
      budgetTokens: 100,
    },
    options: {
      replyTokensMax: 10,
      replyTokensSoftMax: 10,
      sampling: { temperature: 1, topK: 1, topP: 1, repetitionPenalty: 1 },
    },
    observer: { started() {}, firstText() {}, ended() {}, failed() {}, workerLost() {} },
    pause: () => Promise.resolve(),
  };
  const replies = new Replies((reply) => answerTurn(answerDeps, reply));
  let isDraining = false;
  const deps: TurnDeps = {
    ...{ store, replies, generator, clock, ids },
    digest: (body) => body,
    draining: () => isDraining,
    turnsPerDayMax: null,
  };
  const created = <T extends { kind: string }>(made: T) => {
    if (made.kind !== 'created') throw new Error(`not stored: ${made.kind}`);
    return made as Extract<T, { kind: 'created' }>;
  };
  const send = async (text: string, parentId?: string | null) => {
    const request = {
      userId,
      clientMessageId: crypto.randomUUID(),
      conversationId: undefined,
      text,
      parentId,
    };
    return created(await sendMessage(deps, request));
  };
  return {
    ...{ deps, generator, send },
    /** Scripts of the next generations, in order; those after them say one sentence. */
    script: (...next: (readonly ScriptStep[])[]) => scripts.push(...next),
    drain: () => {
      isDraining = true;
    },
    talk: async (text: string, parentId?: string | null): Promise<{ user: Message; companion: Message }> => {
      const { user, reply } = await send(text, parentId);
      return { user, companion: (await reply.stream.ended()).message };
    },
    edit: async (messageId: string, text: string, clientMessageId: string = crypto.randomUUID()) =>
      created(await editMessage(deps, { userId, clientMessageId, messageId, text })),
    regenerate: async (messageId: string, clientRequestId: string = crypto.randomUUID()) =>
      created(await regenerateReply(deps, { userId, clientRequestId, messageId })),
    [Symbol.asyncDispose]: async () => {
      await replies.drain(Promise.resolve());
      await real[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

async function hasText({ reply }: Made): Promise<void> {
  const reader = reply.stream.read(0);
  while (reply.stream.text === '') await reader.wait();
}

async function endOf({ reply }: Made): Promise<[reason: string, text: string]> {
  const end = await reply.stream.ended();
  return [end.kind === 'end' ? end.finishReason : 'failed', end.message.text];
}

describe('an edit', () => {
  it('stops what is being written below the old version, however far below, with its text', async () => {
    await using world = await setUp();
    const { user } = await world.talk('One.');
    await world.talk('Two.');
    await world.talk('Three.');
    world.script(endless);
    const running = await world.send('Four.');
    await hasText(running);
    const edited = await world.edit(user.messageId, 'Other one.');
    expect(await endOf(running)).toEqual(['cancelled', 'and so on']);
    expect(await endOf(edited)).toEqual(['stop', 'A reply.']);
  });

  it('lets what is being written on another branch come to its end first', async () => {
    await using world = await setUp();
    const { user, companion } = await world.talk('One.');
    let finish = () => {};
    world.script([{ say: 'slow' }, { wait: new Promise((resolve) => (finish = () => resolve())) }]);
    const elsewhere = await world.send('Root.', null);
    await hasText(elsewhere);
    const edited = await world.edit(user.messageId, 'Other one.');
    expect(edited.reply.status).toBe('queued');
    finish();
    expect(await endOf(elsewhere)).toEqual(['stop', 'slow']);
    expect(await endOf(edited)).toEqual(['stop', 'A reply.']);
    expect(companion.text).toBe('A reply.');
  });

  it('stops what waits below it without ever beginning it', async () => {
    await using world = await setUp();
    const { companion } = await world.talk('One.');
    world.script(endless);
    const running = await world.send('Root.', null);
    await hasText(running);
    const waiting = await world.send('Two.', companion.messageId);
    const edited = await world.edit(waiting.user.messageId, 'Other two.');
    expect(await endOf(waiting)).toEqual(['cancelled', '']);
    world.deps.replies.cancel(running.generationId);
    expect(await endOf(edited)).toEqual(['stop', 'A reply.']);
    expect(world.generator.requests.map(({ generationId }) => generationId)).not.toContain(
      waiting.generationId,
    );
  });

  it('is in line before a message that was sent right behind it', async () => {
    await using world = await setUp();
    const { user } = await world.talk('One.');
    const [edited, sent] = await Promise.all([world.edit(user.messageId, 'Other one.'), world.send('Two.')]);
    expect(sent.user.parentId).toBe(edited.reply.turn.companion.messageId);
    // No text yet: the message behind it supersedes it, and is answered together with it.
    expect(await endOf(edited)).toEqual(['superseded', '']);
    expect(await endOf(sent)).toEqual(['stop', 'A reply.']);
    const prompt = world.generator.requests.at(-1)?.prompt.map(({ text }) => text);
    expect(prompt?.join('')).toContain('Person A: Other one. Two.');
  });

  it('is answered also when the store cannot tell where a running reply stands', async () => {
    let isAway = false;
    const away = () => Promise.reject(new CodedError('store_unavailable', 'away'));
    await using world = await setUp((store) => ({
      ...store,
      branchPage: (query) => (isAway && query.limit === 1 ? away() : store.branchPage(query)),
    }));
    const { user } = await world.talk('One.');
    await world.talk('Two.');
    let finish = () => {};
    world.script([{ say: 'slow' }, { wait: new Promise((resolve) => (finish = () => resolve())) }]);
    const running = await world.send('Three.');
    await hasText(running);
    isAway = true;
    const edited = await world.edit(user.messageId, 'Other one.');
    finish();
    expect(await endOf(running)).toEqual(['stop', 'slow']);
    expect(await endOf(edited)).toEqual(['stop', 'A reply.']);
  });

  it('repeated gets the first answer also while nothing new is taken', async () => {
    await using world = await setUp();
    const { user } = await world.talk('One.');
    const clientMessageId = crypto.randomUUID();
    const edited = await world.edit(user.messageId, 'é', clientMessageId);
    world.drain();
    const again = { userId, clientMessageId: clientMessageId.toUpperCase(), messageId: user.messageId };
    expect(await editMessage(world.deps, { ...again, text: 'e\u0301' })).toEqual({
      ...{ kind: 'duplicate', messageId: edited.user.messageId, conversationId: edited.user.conversationId },
      ...{ seq: edited.user.seq, generationId: edited.generationId },
    });
    await expect(world.edit(user.messageId, 'New.')).rejects.toMatchObject({ code: 'shutting_down' });
  });
});

describe('a further reply', () => {
  it('stops the one that is being written in its place, or below', async () => {
    await using world = await setUp();
    const { companion } = await world.talk('One.');
    world.script(endless, endless);
    const running = await world.send('Two.');
    await hasText(running);
    const again = await world.regenerate(running.reply.turn.companion.messageId);
    expect(await endOf(running)).toEqual(['cancelled', 'and so on']);
    await hasText(again);
    const first = await world.regenerate(companion.messageId);
    expect(await endOf(again)).toEqual(['cancelled', 'and so on']);
    expect(await endOf(first)).toEqual(['stop', 'A reply.']);
  });

  it('is written from the same prompt', async () => {
    await using world = await setUp();
    await world.talk('One.');
    const { companion } = await world.talk('Two.');
    await endOf(await world.regenerate(companion.messageId));
    const [first, again] = world.generator.requests.slice(-2);
    expect(again?.prompt).toEqual(first?.prompt);
    expect(again?.sampling.seed).not.toBe(first?.sampling.seed);
  });

  it('may take the place of one without text', async () => {
    await using world = await setUp();
    world.script([{ fail: 'generation_failed' }]);
    const { companion } = await world.talk('One.');
    expect([companion.status, companion.text]).toEqual(['failed', '']);
    expect(await endOf(await world.regenerate(companion.messageId))).toEqual(['stop', 'A reply.']);
  });

  it('repeated gets the first answer also while nothing new is taken', async () => {
    await using world = await setUp();
    const { companion } = await world.talk('One.');
    const { messageId } = companion;
    const clientRequestId = crypto.randomUUID();
    const made = await world.regenerate(messageId, clientRequestId);
    await endOf(made);
    world.drain();
    expect(await regenerateReply(world.deps, { userId, clientRequestId, messageId })).toMatchObject({
      kind: 'duplicate',
      generationId: made.generationId,
    });
    await expect(world.regenerate(messageId)).rejects.toMatchObject({ code: 'shutting_down' });
  });

  it('is refused when too many of the user wait, and leaves no trace', async () => {
    await using world = await setUp();
    const { companion } = await world.talk('One.');
    world.script(endless);
    for (let sent = 0; sent < 32; sent++) await world.send('Root.', null);
    await expect(world.regenerate(companion.messageId)).rejects.toMatchObject({ code: 'overloaded' });
    const stored = await world.deps.store.message(userId, companion.messageId);
    expect(stored?.siblings).toEqual({ index: 0, count: 1 });
  });
});
