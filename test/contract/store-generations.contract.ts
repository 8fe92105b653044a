import { expect, it } from 'vitest';
import type { FinishReason } from '../../src/conversation/message.ts';
import type { StoreUnderTest } from './store.contract.ts';
import { candidate, createScenario, expectCreated, race, trace, unfinishedOf } from './store-scenario.ts';

const day = 24 * 60 * 60 * 1000;
const setup = { model: 'tiny', template: 'chat@1', seed: 4294967295, variant: 'b' };

export function generationPromises(underTest: StoreUnderTest): void {
  it('starts a queued generation with its set-up, and shows that in the message', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { companion, generation } = await user.send('Hello');
    const { generationId } = generation;
    expect(await store.startGeneration({ generationId, setup, trace, at: 77 })).toBe(true);
    expect(await store.generation(user.userId, generationId)).toStrictEqual({
      ...generation,
      status: 'running',
      startedAt: 77,
      attempts: 1,
      setup,
    });
    const running = { ...companion, status: 'running', rev: 3, model: 'tiny', variant: 'b' };
    expect(await store.message(user.userId, companion.messageId)).toStrictEqual(running);
    expect(await store.startGeneration({ generationId: 'unknown', setup, trace, at: 88 })).toBe(false);
  });

  it('does not start what has ended', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { companion, generation } = await user.send('Hello');
    const ended = await user.end(generation.generationId, '', {
      status: 'cancelled',
      finishReason: 'superseded',
    });
    expect(await user.start(generation.generationId)).toBe(false);
    expect(await store.message(user.userId, companion.messageId)).toStrictEqual(ended);
    expect(await store.promptTrace(user.userId, generation.generationId, underTest.now)).toBeNull();
  });

  it('ends a generation with its candidates and writes the text into the message', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { companion, generation } = await user.send('Hello');
    const { generationId } = generation;
    await store.startGeneration({ generationId, setup, trace, at: 77 });
    const candidates = [
      candidate(0, { score: null, filterReason: 'repeats' }),
      candidate(1, { finishReason: 'length', logProb: Number.NEGATIVE_INFINITY }),
      candidate(10, { finishReason: 'cancelled', tokens: 0, text: '' }),
      candidate(2, { score: -1.5e-9, features: { length: 0.5, repeats: Number.NEGATIVE_INFINITY } }),
    ];
    const end = { candidates, shownCandidateId: 'candidate-1', race, at: 99 };
    const message = await user.end(generationId, 'text 1', { ...end, finishReason: 'length' });
    expect(message).toStrictEqual({
      ...companion,
      ...{ text: 'text 1', status: 'done', finishReason: 'length', rev: 4, model: 'tiny', variant: 'b' },
      shownCandidateId: 'candidate-1',
    });
    expect(await store.message(user.userId, companion.messageId)).toStrictEqual(message);
    expect(await store.generation(user.userId, generationId)).toStrictEqual({
      ...generation,
      ...{
        status: 'done',
        finishReason: 'length',
        text: 'text 1',
        startedAt: 77,
        endedAt: 99,
        attempts: 1,
        setup,
      },
      candidates: [...candidates].sort((a, b) => a.index - b.index),
      ...{ shownCandidateId: 'candidate-1', race },
    });
  });

  it('lets the first end win and answers later ones with what it left', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { generation } = await user.send('Hello');
    const { generationId } = generation;
    await user.start(generationId);
    const ended = await user.end(generationId, 'partial', { status: 'cancelled', finishReason: 'cancelled' });
    const stored = await store.generation(user.userId, generationId);
    const late = { status: 'failed', finishReason: null, candidates: [candidate(0)] } as const;
    expect(await user.end(generationId, 'later', late)).toStrictEqual(ended);
    expect(await store.generation(user.userId, generationId)).toStrictEqual(stored);
    expect((await store.conversation(user.userId, user.conversationId))?.rev).toBe(ended?.rev);
  });

  it('has one winner among four concurrent ends', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { generation, companion } = await user.send('Hello');
    const texts = ['a', 'b', 'c', 'd'];
    const ends = await Promise.all(texts.map((text) => user.end(generation.generationId, text)));
    const stored = await store.message(user.userId, companion.messageId);
    expect(texts).toContain(stored?.text);
    for (const end of ends) expect(end).toStrictEqual(stored);
    expect((await store.generation(user.userId, generation.generationId))?.text).toBe(stored?.text);
  });

  it.each<['cancelled' | 'failed' | 'done', FinishReason | null, string]>([
    ['cancelled', 'cancelled', ''],
    ['cancelled', 'superseded', ''],
    ['failed', null, ''],
    ['done', 'canned', 'A fixed line.'],
  ])('ends what was never started: %s, %s', async (status, finishReason, text) => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { companion, generation } = await user.send('Hello');
    const end = { status, finishReason, at: 5e12 };
    expect(await user.end(generation.generationId, text, end)).toStrictEqual({
      ...companion,
      ...{ status, finishReason, text, rev: 3 },
    });
    expect(await store.generation(user.userId, generation.generationId)).toStrictEqual({
      ...generation,
      ...{ status, finishReason, text, endedAt: 5e12 },
    });
  });

  it('keeps the text that a failed generation had shown', async () => {
    const user = await createScenario(underTest.store);
    const { generation } = await user.send('Hello');
    await user.start(generation.generationId);
    const ended = await user.end(generation.generationId, 'half a se', {
      status: 'failed',
      finishReason: null,
    });
    expect(ended).toMatchObject({ status: 'failed', finishReason: null, text: 'half a se' });
  });

  it('answers null to the end of an unknown generation', async () => {
    const user = await createScenario(underTest.store);
    expect(await user.end('unknown', 'text')).toBeNull();
  });

  it('lists what has not ended by age, of one conversation and of all', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const [one, two, three] = [
      expectCreated(await store.appendTurn(ada.turn({ at: 1000 }))),
      expectCreated(await store.appendTurn(bob.turn({ at: 2000 }))),
      expectCreated(await store.appendTurn(ada.turn({ at: 3000, place: { parentId: null } }))),
    ];
    const ids = (generations: readonly { generationId: string }[]) =>
      generations.map(({ generationId }) => generationId);
    const [first, second, third] = ids([one.generation, two.generation, three.generation]);
    await ada.start(third!);
    expect(ids(await unfinishedOf(store, ada.conversationId))).toStrictEqual([first, third]);
    expect(ids(await store.unfinishedGenerations())).toStrictEqual([first, second, third]);
    await ada.end(first!, 'done');
    expect(ids(await unfinishedOf(store, ada.conversationId))).toStrictEqual([third]);
    expect(await unfinishedOf(store, bob.conversationId)).toStrictEqual([two.generation]);
    await ada.end(third!, '', { status: 'failed', finishReason: null });
    expect(await store.unfinishedGenerations()).toStrictEqual([two.generation]);
    expect(await unfinishedOf(store, 'unknown')).toStrictEqual([]);
  });

  it('keeps the order of age when the clock is set back', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const turns = [user.turn({ at: 3000 }), user.turn({ at: 2000 }), user.turn({ at: 1000 })];
    for (const turn of turns) await store.appendTurn(turn);
    const active = await unfinishedOf(store, user.conversationId);
    expect(active.map(({ createdAt }) => createdAt)).toStrictEqual([3000, 2000, 1000]);
  });

  it('keeps the prompt trace from the start on, also after a cancel, for its user alone', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const { generation } = await ada.send('Hello');
    const { generationId } = generation;
    expect(await store.promptTrace(ada.userId, generationId, underTest.now)).toBeNull();
    await store.startGeneration({ generationId, setup, trace, at: underTest.now });
    expect(await store.promptTrace(ada.userId, generationId, underTest.now)).toStrictEqual(trace);
    await ada.end(generationId, '', { status: 'cancelled', finishReason: 'cancelled' });
    expect(await store.promptTrace(ada.userId, generationId, underTest.now)).toStrictEqual(trace);
    expect(await store.promptTrace(bob.userId, generationId, underTest.now)).toBeNull();
    expect(await store.promptTrace(ada.userId, 'unknown', underTest.now)).toBeNull();
  });

  it('forgets a prompt trace after seven days', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { generation } = await user.send('Hello');
    const { generationId } = generation;
    await store.startGeneration({ generationId, setup, trace, at: underTest.now });
    underTest.now += 7 * day - 1;
    expect(await store.promptTrace(user.userId, generationId, underTest.now)).toStrictEqual(trace);
    underTest.now += 1;
    expect(await store.promptTrace(user.userId, generationId, underTest.now)).toBeNull();
  });
}
