/** Several conversations of one user: their list, their titles, what was read in them, their end. */
import { expect, it } from 'vitest';
import { conversationsMax } from '../../src/conversation/stores.ts';
import type { StoreUnderTest } from './store.contract.ts';
import { candidate, createScenario, expectCreated } from './store-scenario.ts';

export function listPromises(underTest: StoreUnderTest): void {
  const create = (userId: string, conversationId: string, at: number) =>
    underTest.store.createConversation({ userId, conversationId, title: null, personaId: null, at });

  it('makes conversations with a title and a persona, beside the default one', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const made = await store.createConversation({
      ...{ userId: user.userId, conversationId: 'second', title: 'Plans\u0000', personaId: 'p', at: 5 },
    });
    expect(made).toMatchObject({
      conversationId: 'second',
      title: 'Plans\u0000',
      personaId: 'p',
      lastSeq: 0,
    });
    expect(await store.conversation(user.userId, 'second')).toStrictEqual(made);
    const use = { userId: user.userId, newConversationId: 'other', at: 9 };
    expect((await store.defaultConversation(use)).conversationId).toBe(user.conversationId);
  });

  it('lists a user’s own, the one changed last first, page by page', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    for (const n of [1, 2, 3, 4]) await create(ada.userId, `ada-${n}`, 10 * (n >> 1));
    await create(bob.userId, 'bobs', 30);
    expectCreated(await store.appendTurn(ada.turn({ conversationId: 'ada-1', at: 9e12 })));
    const seen: string[] = [];
    let after = null;
    for (let more = true; more; ) {
      const page = await store.listConversations({ userId: ada.userId, after, limit: 2 });
      expect(page.conversations.length).toBeLessThanOrEqual(2);
      seen.push(...page.conversations.map(({ conversationId }) => conversationId));
      after = page.conversations.at(-1) ?? null;
      more = page.hasMore;
    }
    expect(seen).toStrictEqual(['ada-1', ada.conversationId, 'ada-4', 'ada-3', 'ada-2']);
  });

  it('takes no more conversations than it promises', async () => {
    const { store } = underTest;
    const { userId } = await createScenario(store);
    for (let n = 1; n < conversationsMax; n += 1) await create(userId, `c${n}`, n);
    expect(await create(userId, 'too-many', 1)).toBe('unsupported');
    await store.deleteConversation(userId, 'c1');
    expect(await create(userId, 'again', 1)).toMatchObject({ conversationId: 'again' });
  });

  it('renames, and the same title again changes nothing', async () => {
    const { store } = underTest;
    const [user, other] = [await createScenario(store), await createScenario(store)];
    const { userId, conversationId } = user;
    const renamed = await store.renameConversation({ userId, conversationId, title: 'Us', at: 9e12 });
    expect(renamed).toMatchObject({ title: 'Us', rev: 1, updatedAt: 9e12 });
    const again = { userId, conversationId, title: 'Us', at: 9e12 + 1 };
    expect(await store.renameConversation(again)).toStrictEqual(renamed);
    expect(await store.renameConversation({ ...again, title: null })).toMatchObject({ title: null, rev: 2 });
    expect(await store.renameConversation({ ...again, userId: other.userId })).toBeNull();
  });

  it('keeps what was read, never going back or beyond the end', async () => {
    const { store } = underTest;
    const [user, other] = [await createScenario(store), await createScenario(store)];
    const { userId, conversationId } = user;
    await user.exchange('Hello', 'Hi');
    const { rev = 0 } = (await store.conversation(userId, conversationId)) ?? {};
    const read = (seq: number) => store.markRead({ userId, conversationId, seq });
    expect(await read(1)).toMatchObject({ lastReadSeq: 1, rev: rev + 1 });
    expect(await read(99)).toMatchObject({ lastReadSeq: 2, rev: rev + 2 });
    expect(await read(1)).toMatchObject({ lastReadSeq: 2, rev: rev + 2 });
    expect(await store.markRead({ userId: other.userId, conversationId, seq: 1 })).toBeNull();
  });

  it('deletes a conversation with all that belongs to it, and lets its client ids be used again', async () => {
    const { store } = underTest;
    const [user, other] = [await createScenario(store), await createScenario(store)];
    const { userId, conversationId } = user;
    const turn = user.turn();
    const { companion, generation } = expectCreated(await store.appendTurn(turn));
    await user.end(generation.generationId, 'Hi');
    await store.setReaction({ userId, messageId: companion.messageId, kind: 'up', comment: null, at: 1 });
    await store.appendFeedback({ userId, conversationId, rating: 'better', at: 1 });
    expect(await store.deleteConversation(other.userId, conversationId)).toBe(false);
    expect(await store.deleteConversation(userId, conversationId)).toBe(true);
    expect(await store.deleteConversation(userId, conversationId)).toBe(false);
    expect(await store.conversation(userId, conversationId)).toBeNull();
    expect(await store.message(userId, companion.messageId)).toBeNull();
    expect(await store.generation(userId, generation.generationId)).toBeNull();
    await create(userId, 'next', 1);
    const again = user.turn({ conversationId: 'next', clientId: turn.clientId });
    expect((await store.appendTurn(again)).kind).toBe('created');
  });

  it('gives what a user has to another, who keeps what they have', async () => {
    const { store } = underTest;
    const [guest, account] = [await createScenario(store), await createScenario(store)];
    await account.exchange('mine', 'yes');
    const turn = guest.turn({ text: 'a pear' });
    const { companion, generation } = expectCreated(await store.appendTurn(turn));
    const candidates = [candidate(0), candidate(1)];
    await guest.end(generation.generationId, 'text 0', { candidates, shownCandidateId: 'candidate-0' });
    const chosen = {
      userId: guest.userId,
      messageId: companion.messageId,
      candidateId: 'candidate-1',
      at: 1,
    };
    await store.chooseCandidate(chosen);
    await store.setReaction({ ...chosen, kind: 'love', comment: null });
    const { conversationId } = guest;
    await store.appendFeedback({ userId: guest.userId, conversationId, rating: 'better', at: 1 });
    await store.changeSettings(guest.userId, { locale: 'de' });
    const claim = { from: guest.userId, to: account.userId };
    expect(await store.claimUser(claim)).toStrictEqual({ conversations: 1, messages: 2 });
    expect(await store.message(guest.userId, companion.messageId)).toBeNull();
    const moved = await store.message(account.userId, companion.messageId);
    expect(moved).toMatchObject({ text: 'text 1', reaction: { kind: 'love' }, userId: account.userId });
    expect(await store.generation(account.userId, generation.generationId)).not.toBeNull();
    expect(await store.askedTurn(account.userId, turn.clientId)).not.toBeNull();
    expect(await store.settings(account.userId)).toMatchObject({ locale: 'de' });
    const words = { words: ['pear'], conversationId: null, after: null, limit: 5 };
    expect((await store.searchMessages({ userId: account.userId, ...words })).hits).toHaveLength(1);
    expect((await store.searchMessages({ userId: guest.userId, ...words })).hits).toHaveLength(0);
    const use = { userId: account.userId, newConversationId: 'none', at: 1 };
    expect((await store.defaultConversation(use)).conversationId).toBe(account.conversationId);
    expect(await store.claimUser(claim)).toStrictEqual({ conversations: 0, messages: 0 });
  });

  it('has settings for each user, the defaults until they are changed', async () => {
    const { store } = underTest;
    const defaults = { trainingConsent: false, styleEnabled: true, locale: null, timeZone: null };
    expect(await store.settings('ada')).toStrictEqual(defaults);
    const changed = { ...defaults, trainingConsent: true, locale: 'de-DE' };
    expect(await store.changeSettings('ada', { trainingConsent: true, locale: 'de-DE' })).toStrictEqual(
      changed,
    );
    await store.changeSettings('bob', { styleEnabled: false });
    expect(await store.changeSettings('ada', {})).toStrictEqual(changed);
    await underTest.reopen();
    expect(await underTest.store.settings('ada')).toStrictEqual(changed);
    expect(await underTest.store.settings('bob')).toStrictEqual({ ...defaults, styleEnabled: false });
  });
}
