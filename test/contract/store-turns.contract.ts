import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { answerFor, createScenario, expectCreated } from './store-scenario.ts';

export function turnPromises(underTest: StoreUnderTest): void {
  it('stores the user message, the empty reply and the queued generation together', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const turn = user.turn({ text: 'Hello' });
    const common = { conversationId: user.conversationId, userId: user.userId, createdAt: turn.at };
    const none = { finishReason: null, shownCandidateId: null, model: null, variant: null, reaction: null };
    const siblings = { index: 0, count: 1 };
    const { userMessageId, companionMessageId, generationId, clientId } = turn;
    expect(await store.appendTurn(turn)).toStrictEqual({
      kind: 'created',
      user: {
        ...{ messageId: userMessageId, ...common, ...none, siblings },
        ...{ seq: 1, rev: 1, role: 'user', text: 'Hello', status: 'done' },
        ...{ parentId: null, clientMessageId: clientId, generationId: null },
      },
      companion: {
        ...{ messageId: companionMessageId, ...common, ...none, siblings },
        ...{ seq: 2, rev: 2, role: 'companion', text: '', status: 'queued' },
        ...{ parentId: userMessageId, clientMessageId: null, generationId },
      },
      generation: {
        ...{ generationId, ...common, messageId: companionMessageId, replyTo: userMessageId },
        ...{ status: 'queued', finishReason: null, text: '', startedAt: null, endedAt: null, setup: null },
        ...{ candidates: [], shownCandidateId: null, attempts: 0, race: null },
      },
      olderSiblings: [],
    });
  });

  it('shows a stored turn to its user and to nobody else', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const { user, companion, generation } = await ada.send('Hello');
    expect(await store.message(ada.userId, user.messageId)).toStrictEqual(user);
    expect(await store.message(ada.userId, companion.messageId)).toStrictEqual(companion);
    expect(await store.generation(ada.userId, generation.generationId)).toStrictEqual(generation);
    expect(await store.message(bob.userId, user.messageId)).toBeNull();
    expect(await store.message(ada.userId, 'unknown')).toBeNull();
    expect(await store.generation(bob.userId, generation.generationId)).toBeNull();
    expect(await store.generation(ada.userId, 'unknown')).toBeNull();
  });

  it('finds a turn by the id that its client gave it, for its user alone', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const turn = ada.turn({ text: 'Hello' });
    expect(await store.askedTurn(ada.userId, turn.clientId)).toBeNull();
    const { user } = expectCreated(await store.appendTurn(turn));
    const { bodyHash, generationId } = turn;
    expect(await store.askedTurn(ada.userId, turn.clientId)).toStrictEqual({
      bodyHash,
      ...answerFor(user, generationId),
    });
    expect(await store.askedTurn(bob.userId, turn.clientId)).toBeNull();
  });

  it('appends to the selected leaf without a parent, and starts a new root with null', async () => {
    const user = await createScenario(underTest.store);
    const one = await user.send('one');
    const two = await user.send('two');
    const root = await user.send('root', null);
    const back = await user.send('back', one.companion.messageId);
    expect(one.user.parentId).toBeNull();
    expect(two.user.parentId).toBe(one.companion.messageId);
    expect(root.user.parentId).toBeNull();
    expect(root.user.siblings).toStrictEqual({ index: 1, count: 2, previousId: one.user.messageId });
    expect(back.user.parentId).toBe(one.companion.messageId);
    expect(back.user.siblings).toStrictEqual({ index: 1, count: 2, previousId: two.user.messageId });
    expect((await user.send('on')).user.parentId).toBe(back.companion.messageId);
  });

  it('refuses a user message as parent, an unknown parent, and what belongs to another user', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const mine = await ada.send('mine');
    const theirs = await bob.send('theirs');
    const append = (parts: object) => store.appendTurn(ada.turn(parts));
    expect(await append({ place: { parentId: mine.user.messageId } })).toStrictEqual({
      kind: 'conflict',
      reason: expect.stringMatching(/parentId/),
    });
    expect(await append({ place: { parentId: 'unknown' } })).toStrictEqual({ kind: 'not_found' });
    expect(await append({ place: { parentId: theirs.companion.messageId } })).toStrictEqual({
      kind: 'not_found',
    });
    expect(await append({ conversationId: bob.conversationId })).toStrictEqual({ kind: 'not_found' });
    expect(await append({ conversationId: 'unknown' })).toStrictEqual({ kind: 'not_found' });
    expect(await store.changedAfter(ada.conversationId, 0)).toStrictEqual([mine.user, mine.companion]);
    expect(await store.conversation(ada.userId, ada.conversationId)).toMatchObject({ lastSeq: 2, rev: 2 });
  });

  it('lets the id of a refused turn be used again', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const turn = user.turn({ place: { parentId: 'unknown' } });
    expect((await store.appendTurn(turn)).kind).toBe('not_found');
    expect((await store.appendTurn({ ...turn, place: { parentId: null }, bodyHash: 'other' })).kind).toBe(
      'created',
    );
  });

  it('answers the same id and body with what the first call stored, also after the reply has ended', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const turn = user.turn();
    const first = expectCreated(await store.appendTurn(turn));
    await user.end(turn.generationId, 'reply');
    await user.send('later');
    const other = user.turn({ clientId: turn.clientId, bodyHash: turn.bodyHash });
    expect(await store.appendTurn(other)).toStrictEqual({
      kind: 'duplicate',
      ...answerFor(first.user, turn.generationId),
    });
    expect(await store.message(user.userId, other.userMessageId)).toBeNull();
    expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({ lastSeq: 4 });
  });

  it('answers the same id with another body by a conflict', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const turn = user.turn();
    await store.appendTurn(turn);
    const other = user.turn({ clientId: turn.clientId });
    expect(await store.appendTurn(other)).toStrictEqual({
      kind: 'conflict',
      reason: expect.stringMatching(/clientMessageId/),
    });
    expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({ lastSeq: 2, rev: 2 });
  });

  it('keeps the client ids of two users apart', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const turn = ada.turn();
    await store.appendTurn(turn);
    const same = bob.turn({ clientId: turn.clientId, bodyHash: turn.bodyHash });
    expect((await store.appendTurn(same)).kind).toBe('created');
  });

  it('stores one turn out of four concurrent calls with one id and body', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    for (let round = 0; round < 10; round += 1) {
      const { clientId, bodyHash } = user.turn();
      const answers = await Promise.all(
        [1, 2, 3, 4].map(() => store.appendTurn(user.turn({ clientId, bodyHash }))),
      );
      const created = answers.filter((answer) => answer.kind === 'created');
      expect(created).toHaveLength(1);
      for (const answer of answers.filter(({ kind }) => kind !== 'created'))
        expect(answer).toStrictEqual({
          kind: 'duplicate',
          ...answerFor(created[0]!.user, created[0]!.generation.generationId),
        });
    }
    expect(await store.changedAfter(user.conversationId, 0)).toHaveLength(20);
  });

  it('stores one turn out of four concurrent calls with one id and different bodies', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { clientId } = user.turn();
    const answers = await Promise.all([1, 2, 3, 4].map(() => store.appendTurn(user.turn({ clientId }))));
    expect(answers.map(({ kind }) => kind).sort()).toStrictEqual([
      'conflict',
      'conflict',
      'conflict',
      'created',
    ]);
  });

  it('leaves no gap in seq or rev under 200 concurrent turns, and keeps each turn together', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const appended = await Promise.all(
      Array.from({ length: 200 }, (_, n) => store.appendTurn(user.turn({ text: `${n}` }))),
    );
    const turns = appended.map(expectCreated);
    for (const turn of turns) {
      expect(turn.companion.seq).toBe(turn.user.seq + 1);
      expect(turn.companion.rev).toBe(turn.user.rev + 1);
    }
    const stored = await store.changedAfter(user.conversationId, 0);
    const counting = Array.from({ length: 400 }, (_, n) => n + 1);
    expect(stored.map(({ seq }) => seq)).toStrictEqual(counting);
    expect(stored.map(({ rev }) => rev)).toStrictEqual(counting);
    // Without a parent each one hangs on the leaf of the one before: one branch, in the order of seq.
    const leafId = stored.at(-1)!.messageId;
    const branch = { conversationId: user.conversationId, leafId, limit: 500 };
    expect((await store.branchPage(branch)).messages).toStrictEqual(stored);
  });
}
