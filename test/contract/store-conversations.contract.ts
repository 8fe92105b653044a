import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { candidate, createScenario, race } from './store-scenario.ts';

export function conversationPromises(underTest: StoreUnderTest): void {
  it('makes the default conversation at first use and returns the same one ever after', async () => {
    const { store } = underTest;
    const made = await store.defaultConversation({ userId: 'ada', newConversationId: 'first', at: 1000 });
    expect(made).toStrictEqual({
      conversationId: 'first',
      userId: 'ada',
      title: null,
      personaId: null,
      lastSeq: 0,
      lastReadSeq: 0,
      rev: 0,
      selectedLeafId: null,
      createdAt: 1000,
      updatedAt: 1000,
      preview: null,
    });
    const again = { userId: 'ada', newConversationId: 'second', at: 2000 };
    expect(await store.defaultConversation(again)).toStrictEqual(made);
    expect(await store.conversation('ada', 'second')).toBeNull();
  });

  it('makes one default conversation out of four concurrent first uses', async () => {
    const { store } = underTest;
    const made = await Promise.all(
      [1, 2, 3, 4].map((n) =>
        store.defaultConversation({ userId: 'ada', newConversationId: `c${n}`, at: 1000 + n }),
      ),
    );
    expect(new Set(made.map(({ conversationId }) => conversationId)).size).toBe(1);
  });

  it('gives each user a default conversation of their own, which the other cannot see', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    expect(ada.conversationId).not.toBe(bob.conversationId);
    expect(await store.conversation(ada.userId, bob.conversationId)).toBeNull();
    expect(await store.conversation(ada.userId, 'unknown')).toBeNull();
    expect(await store.conversation(bob.userId, bob.conversationId)).toMatchObject({ userId: bob.userId });
  });

  it('moves lastSeq, rev, the selected leaf and updatedAt with every turn', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    await user.exchange('one', 'first');
    const turn = user.turn({ at: 9e12 });
    await store.appendTurn(turn);
    expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({
      lastSeq: 4,
      rev: 6,
      selectedLeafId: turn.companionMessageId,
      updatedAt: 9e12,
    });
    await user.end(turn.generationId, 'second', { at: 9e12 + 5 });
    expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({
      rev: 7,
      updatedAt: 9e12 + 5,
    });
  });

  it('previews the newest text of the selected branch, passing over empty messages', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const preview = async () => (await store.conversation(user.userId, user.conversationId))?.preview;
    const { generation } = await user.send('How are you?');
    expect(await preview()).toStrictEqual({ role: 'user', text: 'How are you?' });
    await user.end(generation.generationId, 'Fine.');
    expect(await preview()).toStrictEqual({ role: 'companion', text: 'Fine.' });
    await user.send('Another root', null);
    expect(await preview()).toStrictEqual({ role: 'user', text: 'Another root' });
  });

  it('cuts the preview at 120 UTF-16 units, or at 119 where a surrogate pair would be split', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const previewOf = async (text: string) => {
      await user.send(text);
      return (await store.conversation(user.userId, user.conversationId))?.preview?.text;
    };
    expect(await previewOf('x'.repeat(120))).toBe('x'.repeat(120));
    expect(await previewOf('x'.repeat(121))).toBe('x'.repeat(120));
    expect(await previewOf(`${'x'.repeat(118)}😀y`)).toBe(`${'x'.repeat(118)}😀`);
    expect(await previewOf(`${'x'.repeat(119)}😀`)).toBe('x'.repeat(119));
  });

  it('keeps everything when it is closed and opened again', async () => {
    const user = await createScenario(underTest.store);
    const reply = await user.exchange('one', 'first');
    const { generation } = await user.send('two');
    await user.start(generation.generationId);
    await user.end(generation.generationId, 'second', {
      candidates: [candidate(0), candidate(1)],
      shownCandidateId: 'candidate-1',
      race,
    });
    const open = await user.send('three');
    const { userId, conversationId } = user;
    await underTest.store.setReaction({
      userId,
      messageId: reply.messageId,
      kind: 'love',
      comment: 'c',
      at: 5,
    });
    const look = async () => ({
      conversation: await underTest.store.conversation(userId, conversationId),
      messages: await underTest.store.changedAfter(conversationId, 0),
      generation: await underTest.store.generation(userId, generation.generationId),
      trace: await underTest.store.promptTrace(userId, generation.generationId, underTest.now),
      unfinished: await underTest.store.unfinishedGenerations(),
    });
    const before = await look();
    expect(before.messages).toHaveLength(6);
    expect(before.unfinished).toStrictEqual([open.generation]);
    await underTest.reopen();
    expect(await look()).toStrictEqual(before);
  });

  it('returns plain data, which can cross to another thread unchanged', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const created = await user.send('one');
    await user.start(created.generation.generationId);
    await user.end(created.generation.generationId, 'first', { candidates: [candidate(0)] });
    const answers = [
      created,
      await store.conversation(user.userId, user.conversationId),
      await store.changedAfter(user.conversationId, 0),
      await store.generation(user.userId, created.generation.generationId),
      await store.promptTrace(user.userId, created.generation.generationId, underTest.now),
    ];
    expect(structuredClone(answers)).toStrictEqual(answers);
  });

  it('answers a ping', async () => {
    await expect(underTest.store.ping()).resolves.toBeUndefined();
  });
}
