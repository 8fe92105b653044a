import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { createScenario } from './store-scenario.ts';

export function branchPromises(underTest: StoreUnderTest): void {
  it('walks a branch from its root to the leaf and leaves the other branches out', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { conversationId } = user;
    const one = await user.exchange('one', 'first');
    const two = await user.exchange('two', 'second');
    const other = await user.exchange('other two', 'other second', one.messageId);
    const root = await user.exchange('other root', 'other first', null);
    const texts = async (leafId: string) => {
      const page = await store.branchPage({ conversationId, leafId, limit: 50 });
      expect(page.hasMore).toBe(false);
      return page.messages.map(({ text }) => text);
    };
    expect(await texts(two.messageId)).toStrictEqual(['one', 'first', 'two', 'second']);
    expect(await texts(other.messageId)).toStrictEqual(['one', 'first', 'other two', 'other second']);
    expect(await texts(root.messageId)).toStrictEqual(['other root', 'other first']);
    expect(await texts(one.messageId)).toStrictEqual(['one', 'first']);
  });

  it('pages backwards through a branch without a gap or a repeat, whatever the size of the page', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { conversationId } = user;
    for (let n = 0; n < 5; n += 1) {
      const reply = await user.exchange(`message ${n}`, `reply ${n}`);
      // A side branch beside each turn makes holes in the seq of the main one.
      await user.exchange('aside', 'aside', reply.parentId === null ? null : reply.messageId);
      await user.exchange(`on ${n}`, `on ${n}`, reply.messageId);
    }
    const leafId = (await store.conversation(user.userId, conversationId))?.selectedLeafId ?? '';
    const whole = (await store.branchPage({ conversationId, leafId, limit: 200 })).messages;
    expect(whole).toHaveLength(20);
    for (const limit of [1, 3, 10, 19, 20, 21]) {
      const pages = [];
      let beforeSeq = Number.MAX_SAFE_INTEGER;
      for (let left = whole.length; left > 0; left -= limit) {
        const page = await store.branchPage({ conversationId, leafId, beforeSeq, limit });
        expect(page.messages).toHaveLength(Math.min(limit, left));
        expect(page.hasMore).toBe(left > limit);
        pages.unshift(...page.messages);
        beforeSeq = page.messages[0]!.seq;
      }
      expect(pages).toStrictEqual(whole);
      const past = await store.branchPage({ conversationId, leafId, beforeSeq, limit });
      expect(past).toStrictEqual({ messages: [], hasMore: false });
    }
  });

  it('fills a page, however far apart its messages lie', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { conversationId } = user;
    const root = await user.exchange('one', 'first');
    const two = await user.exchange('two', 'second', root.messageId);
    for (let n = 0; n < 50; n += 1) await user.send('aside', root.messageId);
    const { messageId: leafId } = await user.exchange('three', 'third', two.messageId);
    const page = await store.branchPage({ conversationId, leafId, limit: 3 });
    expect(page.messages.map(({ seq }) => seq)).toStrictEqual([4, 105, 106]);
    expect(page.hasMore).toBe(true);
    const whole = await store.branchPage({ conversationId, leafId, limit: 6 });
    expect(whole.messages.map(({ seq }) => seq)).toStrictEqual([1, 2, 3, 4, 105, 106]);
    expect(whole.hasMore).toBe(false);
  });

  it('takes a beforeSeq that lies on another branch or past the leaf', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { conversationId } = user;
    const one = await user.exchange('one', 'first');
    await user.exchange('aside', 'aside');
    const two = await user.exchange('two', 'second', one.messageId);
    const seqs = async (beforeSeq: number) => {
      const page = await store.branchPage({ conversationId, leafId: two.messageId, beforeSeq, limit: 50 });
      return page.messages.map(({ seq }) => seq);
    };
    expect(await seqs(4)).toStrictEqual([1, 2]);
    expect(await seqs(99)).toStrictEqual([1, 2, 5, 6]);
    expect(await seqs(1)).toStrictEqual([]);
  });

  it('has an empty page for a leaf that is unknown or of another conversation', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const theirs = await bob.exchange('theirs', 'theirs');
    const { conversationId } = ada;
    for (const leafId of ['unknown', theirs.messageId])
      expect(await store.branchPage({ conversationId, leafId, limit: 50 })).toStrictEqual({
        messages: [],
        hasMore: false,
      });
  });

  it('counts siblings among the messages of the same parent and role, in the order of seq', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const one = await user.exchange('one', 'first');
    for (const text of ['two', 'three', 'four']) await user.send(text, one.messageId);
    const siblings = (await store.changedAfter(user.conversationId, 0))
      .filter(({ role }) => role === 'user')
      .map((message) => [message.text, message.siblings.index, message.siblings.count]);
    expect(siblings).toStrictEqual([
      ['one', 0, 1],
      ['two', 0, 3],
      ['three', 1, 3],
      ['four', 2, 3],
    ]);
  });

  it('keeps the roots of two conversations apart when it counts siblings', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    await ada.send('hers', null);
    expect((await bob.send('his', null)).user.siblings).toStrictEqual({ index: 0, count: 1 });
  });

  it('tells what was created or changed after a rev, on all branches, by seq', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId, conversationId } = user;
    const one = await user.exchange('one', 'first');
    const aside = await user.send('aside', null);
    const changed = async (rev: number) =>
      (await store.changedAfter(conversationId, rev)).map((message) => [message.seq, message.rev]);
    expect(await changed(0)).toStrictEqual([
      // The second root is a sibling of the first, which has a new count of them.
      [1, 7],
      [2, 4],
      [3, 5],
      [4, 6],
    ]);
    expect(await changed(7)).toStrictEqual([]);
    await store.setReaction({ userId, messageId: one.messageId, kind: 'up', comment: null, at: 1 });
    await user.start(aside.generation.generationId);
    expect(await changed(7)).toStrictEqual([
      [2, 8],
      [4, 9],
    ]);
    expect((await store.conversation(userId, conversationId))?.rev).toBe(9);
    expect(await store.changedAfter('unknown', 0)).toStrictEqual([]);
  });
}
