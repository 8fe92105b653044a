/** The generation log, starts that are repeated after a crash, and the runner-up that ends late. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { candidate, createScenario, race, trace, unfinishedOf } from './store-scenario.ts';

export function logPromises(underTest: StoreUnderTest): void {
  startPromises(underTest);
  runnerUpPromises(underTest);

  it('shows what was appended as the text of a generation that has not ended', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { companion, generation } = await user.send('Hello');
    const { generationId } = generation;
    const other = (await user.send('Hello', null)).generation;
    await user.start(generationId);
    const textOf = async (id: string) => (await store.generation(user.userId, id))?.text;
    expect(await textOf(generationId)).toBe('');
    const pieces = ['Good', ' morning', '', ' 😀', '\u0000\u00010', '!'];
    let text = '';
    for (const piece of pieces) {
      expect(await store.appendText({ generationId, offset: text.length, text: piece })).toBe(true);
      await store.appendText({ generationId: other.generationId, offset: text.length, text: piece });
      text += piece;
      expect(await textOf(generationId)).toBe(text);
    }
    expect((await unfinishedOf(store, user.conversationId)).map((one) => one.text)).toStrictEqual([
      text,
      text,
    ]);
    expect((await store.unfinishedGenerations())[0]?.text).toBe(text);
    // Nothing that clients are told of by a rev.
    expect(await store.message(user.userId, companion.messageId)).toMatchObject({ text: '', rev: 6 });
    await underTest.reopen();
    expect((await underTest.store.generation(user.userId, generationId))?.text).toBe(text);
  });

  it('gives any text back that was appended in any pieces', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const piece = fc.string({ unit: fc.constantFrom('a', '😀', '\u0000', '\u0001', '0', 'é') });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const { generationId } = (await user.send('Hello')).generation;
        let text = '';
        for (const next of pieces) {
          await store.appendText({ generationId, offset: text.length, text: next });
          text += next;
        }
        expect((await store.generation(user.userId, generationId))?.text).toBe(text);
      }),
      { numRuns: 40, seed: 20260103 },
    );
  });

  it('takes nothing at an offset that is not the end of the log', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { generationId } = (await user.send('Hello')).generation;
    await user.start(generationId);
    await store.appendText({ generationId, offset: 0, text: '😀 yes' });
    for (const offset of [-1, 0, 5, 7])
      await expect(store.appendText({ generationId, offset, text: 'x' })).rejects.toThrow(/ends at 6/);
    expect((await store.generation(user.userId, generationId))?.text).toBe('😀 yes');
    expect(await store.appendText({ generationId, offset: 6, text: '!' })).toBe(true);
  });

  it('takes no half of a surrogate pair', async () => {
    const user = await createScenario(underTest.store);
    const { generationId } = (await user.send('Hello')).generation;
    const half = { generationId, offset: 0, text: '\ud83d' };
    await expect(underTest.store.appendText(half)).rejects.toThrow(/surrogate/);
  });

  it('takes nothing for what has ended or is unknown, and keeps the text of the end', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { generationId } = (await user.send('Hello')).generation;
    await user.start(generationId);
    await store.appendText({ generationId, offset: 0, text: 'Good mor' });
    await user.end(generationId, 'Good morning');
    expect(await store.appendText({ generationId, offset: 8, text: 'ning' })).toBe(false);
    expect((await store.generation(user.userId, generationId))?.text).toBe('Good morning');
    expect(await store.appendText({ generationId: 'unknown', offset: 0, text: 'x' })).toBe(false);
  });
}

function startPromises(underTest: StoreUnderTest): void {
  it('starts a generation again that a crash broke off, and goes on where its log ends', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { companion, generation } = await user.send('Hello');
    const { generationId } = generation;
    const setup = { model: 'tiny', template: 'chat@1', seed: 7, variant: 'a' };
    await store.startGeneration({ generationId, setup, trace, at: underTest.now });
    await store.appendText({ generationId, offset: 0, text: 'Good mor' });

    const again = { model: 'other', template: 'chat@2', seed: 8, variant: null };
    const newTrace = { ...trace, promptTokens: 99 };
    const at = underTest.now + 5000;
    const start = { generationId, setup: again, trace: newTrace, at };
    expect(await store.startGeneration(start)).toBe(true);
    expect(await store.generation(user.userId, generationId)).toStrictEqual({
      ...generation,
      ...{ status: 'running', attempts: 2, startedAt: underTest.now, setup: again, text: 'Good mor' },
    });
    expect(await store.message(user.userId, companion.messageId)).toStrictEqual({
      ...companion,
      ...{ status: 'running', rev: 4, model: 'other', variant: null },
    });
    expect(await store.promptTrace(user.userId, generationId, underTest.now)).toStrictEqual(newTrace);
    expect(await store.appendText({ generationId, offset: 8, text: 'ning' })).toBe(true);
    await user.end(generationId, 'Good morning');
    expect(await store.generation(user.userId, generationId)).toMatchObject({ attempts: 2 });
    expect(await store.startGeneration(start)).toBe(false);
  });
}

function runnerUpPromises(underTest: StoreUnderTest): void {
  it('puts a candidate that ended late in the place of its beginning', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { generation } = await user.send('Hello');
    const { generationId } = generation;
    await user.start(generationId);
    const late = candidate(1, { finishReason: 'stop', text: 'whole', tokens: 20, features: { length: 1 } });
    expect(await store.replaceCandidate(generationId, late)).toBe(false);
    const candidates = [candidate(0), candidate(1, { finishReason: 'dropped', score: null })];
    const message = await user.end(generationId, 'text 0', {
      ...{ candidates, shownCandidateId: 'candidate-0', race },
    });
    expect(message?.shownCandidateId).toBe('candidate-0');
    const ended = await store.generation(user.userId, generationId);
    expect(await store.replaceCandidate(generationId, late)).toBe(true);
    expect(await store.generation(user.userId, generationId)).toStrictEqual({
      ...ended,
      candidates: [candidates[0], late],
    });
    expect(await store.message(user.userId, generation.messageId)).toStrictEqual(message);
    expect(await store.replaceCandidate(generationId, candidate(7))).toBe(false);
    expect(await store.replaceCandidate('unknown', late)).toBe(false);
  });
}
