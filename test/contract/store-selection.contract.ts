import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { createScenario, type Scenario } from './store-scenario.ts';

export function selectionPromises(underTest: StoreUnderTest): void {
  const select = async ({ userId }: Scenario, messageId: string, at = 1) =>
    underTest.store.selectBranch({ userId, messageId, at });

  it('selects the newest leaf below the message', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const one = await user.exchange('one', 'first');
    const older = await user.exchange('older', 'older');
    const newer = await user.exchange('newer', 'newer', one.messageId);
    const other = await user.exchange('other root', 'other root', null);
    const leafOf = async (messageId: string) => (await select(user, messageId))?.selectedLeafId;
    expect(await leafOf(one.messageId)).toBe(newer.messageId);
    expect(await leafOf(older.parentId ?? '')).toBe(older.messageId);
    expect(await leafOf(other.messageId)).toBe(other.messageId);
    expect(await leafOf(one.parentId ?? '')).toBe(newer.messageId);
    // Older by its first message, newer by its last.
    await user.send('below the older', older.messageId);
    const leaf = (await user.send('still below')).companion;
    await leafOf(other.messageId);
    expect(await leafOf(one.messageId)).toBe(leaf.messageId);
    const page = { conversationId: user.conversationId, leafId: leaf.messageId, limit: 50 };
    expect((await store.branchPage(page)).messages).toHaveLength(8);
  });

  it('goes back to an earlier version of a reply and of a message', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const first = await user.exchange('Hello', 'Hi');
    const second = (await user.regenerate(first.messageId)).companion;
    expect((await select(user, first.messageId))?.selectedLeafId).toBe(first.messageId);
    const edit = await user.edit(first.parentId ?? '', 'Hello!');
    expect((await select(user, first.parentId ?? ''))?.selectedLeafId).toBe(second.messageId);
    expect((await select(user, edit.user.messageId))?.selectedLeafId).toBe(edit.companion.messageId);
    expect((await store.message(user.userId, first.messageId))?.text).toBe('Hi');
  });

  it('changes the rev of the conversation, but of no message', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const one = await user.exchange('one', 'first');
    await user.exchange('other', 'other', null);
    const messages = await store.changedAfter(user.conversationId, 0);
    const before = await store.conversation(user.userId, user.conversationId);
    const after = await select(user, one.messageId, 9e12);
    expect(after).toStrictEqual({
      ...before,
      ...{ rev: (before?.rev ?? 0) + 1, selectedLeafId: one.messageId, updatedAt: 9e12 },
      preview: { role: 'companion', text: 'first' },
    });
    expect(await store.conversation(user.userId, user.conversationId)).toStrictEqual(after);
    expect(await store.changedAfter(user.conversationId, 0)).toStrictEqual(messages);
  });

  it('leaves the selection alone when the message lies on the selected branch', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const one = await user.exchange('one', 'first');
    const older = await user.exchange('older', 'older');
    await user.exchange('newer', 'newer', one.messageId);
    const selected = await select(user, older.messageId);
    for (const messageId of [older.messageId, older.parentId ?? '', one.messageId, one.parentId ?? ''])
      expect(await select(user, messageId, 9e12)).toStrictEqual(selected);
    expect(await store.conversation(user.userId, user.conversationId)).toStrictEqual(selected);
  });

  it('knows nothing of the branches of others', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const { messageId } = await bob.exchange('theirs', 'theirs');
    await bob.exchange('other', 'other', null);
    const before = await store.conversation(bob.userId, bob.conversationId);
    expect(await select(ada, messageId)).toBeNull();
    expect(await select(ada, 'unknown')).toBeNull();
    expect(await store.conversation(bob.userId, bob.conversationId)).toStrictEqual(before);
  });
}
