import { expect, it } from 'vitest';
import type { ReactionKind } from '../../src/conversation/message.ts';
import type { StoreUnderTest } from './store.contract.ts';
import { createScenario } from './store-scenario.ts';

export function reactionPromises(underTest: StoreUnderTest): void {
  it('sets a reaction, replaces it and takes it back, with a new rev each time', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId } = user;
    const reply = await user.exchange('Hello', 'Hi');
    const { messageId } = reply;
    const set = (kind: ReactionKind, comment: string | null, at: number) =>
      store.setReaction({ userId, messageId, kind, comment, at });

    const up = { ...reply, rev: 5, reaction: { kind: 'up', comment: null, at: 10 } };
    expect(await set('up', null, 10)).toStrictEqual(up);
    expect(await store.message(userId, messageId)).toStrictEqual(up);
    const funny = { ...reply, rev: 6, reaction: { kind: 'funny', comment: 'ha', at: 20 } };
    expect(await set('funny', 'ha', 20)).toStrictEqual(funny);
    const plain = { ...reply, rev: 7, reaction: { kind: 'funny', comment: null, at: 30 } };
    expect(await set('funny', null, 30)).toStrictEqual(plain);
    expect(await store.clearReaction({ userId, messageId, at: 40 })).toStrictEqual({ ...reply, rev: 8 });
    expect(await store.message(userId, messageId)).toStrictEqual({ ...reply, rev: 8 });
    expect((await store.conversation(userId, user.conversationId))?.rev).toBe(8);
  });

  it('changes nothing when the same reaction comes again or there is none to take back', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId } = user;
    const reply = await user.exchange('Hello', 'Hi');
    const { messageId } = reply;
    expect(await store.clearReaction({ userId, messageId, at: 5 })).toStrictEqual(reply);
    const first = await store.setReaction({ userId, messageId, kind: 'love', comment: 'c', at: 10 });
    expect(await store.setReaction({ userId, messageId, kind: 'love', comment: 'c', at: 20 })).toStrictEqual(
      first,
    );
    expect((await store.conversation(userId, user.conversationId))?.rev).toBe(5);
  });

  it('takes every kind', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { messageId } = await user.exchange('Hello', 'Hi');
    const kinds: ReactionKind[] = ['up', 'down', 'love', 'funny', 'meaningless', 'offensive'];
    for (const kind of kinds) {
      const set = await store.setReaction({ userId: user.userId, messageId, kind, comment: null, at: 1 });
      expect(set).toMatchObject({ reaction: { kind } });
    }
  });

  it('has no reaction for a user message or an empty one', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId } = user;
    const { user: sent, companion, generation } = await user.send('Hello');
    const react = (messageId: string) =>
      store.setReaction({ userId, messageId, kind: 'up', comment: null, at: 1 });
    expect(await react(sent.messageId)).toBe('unsupported');
    expect(await react(companion.messageId)).toBe('unsupported');
    await user.end(generation.generationId, '', { status: 'cancelled', finishReason: 'superseded' });
    expect(await react(companion.messageId)).toBe('unsupported');
    expect((await store.conversation(userId, user.conversationId))?.rev).toBe(3);
  });

  it("knows nothing of another user's message", async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const { messageId } = await ada.exchange('Hello', 'Hi');
    const before = await store.setReaction({
      userId: ada.userId,
      messageId,
      kind: 'up',
      comment: null,
      at: 1,
    });
    const { userId } = bob;
    expect(
      await store.setReaction({ userId, messageId, kind: 'offensive', comment: null, at: 2 }),
    ).toBeNull();
    expect(await store.clearReaction({ userId, messageId, at: 2 })).toBeNull();
    expect(
      await store.setReaction({ userId, messageId: 'unknown', kind: 'up', comment: null, at: 2 }),
    ).toBeNull();
    expect(await store.clearReaction({ userId, messageId: 'unknown', at: 2 })).toBeNull();
    expect(await store.message(ada.userId, messageId)).toStrictEqual(before);
  });
}
