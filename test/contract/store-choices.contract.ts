import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { candidate, createScenario, race } from './store-scenario.ts';

export function choicePromises(underTest: StoreUnderTest): void {
  /** A reply that shows candidate 0 of several, with a reaction. */
  async function createReply() {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId } = user;
    const { companion, generation } = await user.send('Hello');
    await user.start(generation.generationId);
    const candidates = [
      candidate(0),
      candidate(1, { finishReason: 'length', text: 'another\u0000' }),
      candidate(2, { filterReason: 'repeats' }),
      candidate(3, { finishReason: 'dropped' }),
      candidate(4, { finishReason: 'cancelled' }),
      candidate(5, { text: '' }),
    ];
    const end = { candidates, shownCandidateId: 'candidate-0', race };
    await user.end(generation.generationId, 'text 0', end);
    const { messageId } = companion;
    const shown = await store.setReaction({ userId, messageId, kind: 'love', comment: null, at: 1 });
    if (shown === null || shown === 'unsupported') throw new Error('The reply takes no reaction.');
    const choose = (candidateId: string, at = 1) =>
      store.chooseCandidate({ userId, messageId, candidateId, at });
    return { user, userId, messageId, generationId: generation.generationId, shown, choose };
  }

  it('shows the chosen candidate, takes the reaction back and keeps the generation as it ended', async () => {
    const { store } = underTest;
    const { user, userId, generationId, shown, choose } = await createReply();
    const generation = await store.generation(userId, generationId);
    const chosen = await choose('candidate-1', 9e12);
    expect(chosen).toStrictEqual({
      ...shown,
      ...{ text: 'another\u0000', finishReason: 'length', status: 'done', shownCandidateId: 'candidate-1' },
      ...{ reaction: null, rev: shown.rev + 1 },
    });
    expect(await store.message(userId, shown.messageId)).toStrictEqual(chosen);
    expect(await store.generation(userId, generationId)).toStrictEqual(generation);
    expect(generation).toMatchObject({ text: 'text 0', shownCandidateId: 'candidate-0' });
    expect(await store.conversation(userId, user.conversationId)).toMatchObject({
      ...{ rev: shown.rev + 1, updatedAt: 9e12, preview: { text: 'another\u0000' } },
    });
    expect(await choose('candidate-0')).toMatchObject({ text: 'text 0', finishReason: 'stop' });
  });

  it('changes nothing when the shown one is chosen', async () => {
    const { store } = underTest;
    const { user, userId, shown, choose } = await createReply();
    expect(await choose('candidate-0', 9e12)).toStrictEqual(shown);
    const conversation = await store.conversation(userId, user.conversationId);
    expect(conversation?.rev).toBe(shown.rev);
    expect(conversation?.updatedAt).toBeLessThan(9e12);
  });

  it('does not show what was filtered, is empty or is only a beginning', async () => {
    const { store } = underTest;
    const { userId, messageId, shown, choose } = await createReply();
    for (const index of [2, 3, 4, 5]) expect(await choose(`candidate-${index}`)).toBe('unsupported');
    expect(await store.message(userId, messageId)).toStrictEqual(shown);
  });

  it('lets the runner-up be chosen once it has come to its end', async () => {
    const { store } = underTest;
    const { generationId, choose } = await createReply();
    await store.replaceCandidate(generationId, candidate(3, { text: 'to its end' }));
    expect(await choose('candidate-3')).toMatchObject({ text: 'to its end' });
  });

  it('shows a candidate in the place of a line that is none, or of a failure', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId } = user;
    for (const end of [
      { text: 'A fixed line.', status: 'done', finishReason: 'filtered' },
      { text: '', status: 'failed', finishReason: null },
    ] as const) {
      const { companion, generation } = await user.send('Hello');
      await user.end(generation.generationId, end.text, { ...end, candidates: [candidate(0)] });
      const choice = { userId, messageId: companion.messageId, candidateId: 'candidate-0', at: 1 };
      expect(await store.chooseCandidate(choice)).toMatchObject({
        text: 'text 0',
        status: 'done',
        finishReason: 'stop',
        shownCandidateId: 'candidate-0',
      });
      expect(await store.generation(userId, generation.generationId)).toMatchObject(end);
    }
  });

  it('has no choice before the end, and knows no other messages and candidates', async () => {
    const { store } = underTest;
    const { user, userId, messageId, shown, choose } = await createReply();
    const bob = await createScenario(store);
    const { user: sent, companion } = await user.send('more');
    const choice = { userId, messageId, candidateId: 'candidate-1', at: 1 };
    expect(await store.chooseCandidate({ ...choice, messageId: companion.messageId })).toBe('unsupported');
    expect(await store.chooseCandidate({ ...choice, messageId: sent.messageId })).toBeNull();
    expect(await store.chooseCandidate({ ...choice, messageId: 'unknown' })).toBeNull();
    expect(await store.chooseCandidate({ ...choice, userId: bob.userId })).toBeNull();
    expect(await choose('unknown')).toBeNull();
    expect(await store.message(userId, messageId)).toStrictEqual(shown);
  });
}
