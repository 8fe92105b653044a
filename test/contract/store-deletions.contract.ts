import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { answerFor, createScenario, expectCreated } from './store-scenario.ts';

export function deletionPromises(underTest: StoreUnderTest): void {
  /** Two turns, and a second reply to the first one, which is selected last of all. */
  async function talk() {
    const user = await createScenario(underTest.store);
    const first = await user.exchange('One', 'first');
    const second = await user.exchange('Two', 'second');
    const again = await user.regenerate(first.messageId);
    await user.end(again.generation.generationId, 'first again');
    const { userId, conversationId } = user;
    const deleteMessage = (messageId: string, as = userId) =>
      underTest.store.deleteMessage({ userId: as, messageId, at: 9e12 });
    const ids = { one: first.parentId ?? '', first: first.messageId, two: second.parentId ?? '' };
    return { user, userId, conversationId, deleteMessage, ids: { ...ids, second: second.messageId }, again };
  }

  it('takes a message out with what hangs below it, and leaves the rest', async () => {
    const { conversationId, deleteMessage, ids, again } = await talk();
    const deleted = await deleteMessage(ids.first);
    expect([...(deleted?.messageIds ?? [])].sort()).toStrictEqual([ids.first, ids.two, ids.second].sort());
    const left = await underTest.store.changedAfter(conversationId, 0);
    expect(left.map(({ messageId }) => messageId)).toStrictEqual([ids.one, again.companion.messageId]);
    expect(deleted?.siblings).toStrictEqual([left[1]]);
    expect(left[1]?.siblings).toStrictEqual({ index: 0, count: 1 });
    expect(deleted?.conversation).toMatchObject({ lastSeq: 5, updatedAt: 9e12, rev: left[1]?.rev });
  });

  it('leaves the selected branch alone that does not lead through it', async () => {
    const { deleteMessage, ids, again } = await talk();
    const deleted = await deleteMessage(ids.two);
    expect(deleted?.conversation.selectedLeafId).toBe(again.companion.messageId);
  });

  it('selects the newest branch of the parent where the selected one is gone', async () => {
    const { user, deleteMessage, ids, again } = await talk();
    const gone = await deleteMessage(again.companion.messageId);
    expect(gone?.conversation.selectedLeafId).toBe(ids.second);
    expect((await deleteMessage(ids.second))?.conversation.selectedLeafId).toBe(ids.two);
    const next = await user.send('Three');
    expect(next.user.parentId).toBe(ids.two);
    expect((await deleteMessage(ids.one))?.conversation).toMatchObject({
      ...{ selectedLeafId: null, lastSeq: 7, preview: null },
    });
    expect((await user.send('Four')).user).toMatchObject({ parentId: null, seq: 8 });
  });

  it('tells what was deleted after a rev', async () => {
    const { conversationId, deleteMessage, ids } = await talk();
    const first = await deleteMessage(ids.second);
    const rev = first?.conversation.rev ?? 0;
    await deleteMessage(ids.two);
    const { store } = underTest;
    expect(await store.deletedAfter(conversationId, 0)).toStrictEqual([ids.second, ids.two]);
    expect(await store.deletedAfter(conversationId, rev)).toStrictEqual([ids.two]);
    expect(await store.deletedAfter(conversationId, 1e9)).toStrictEqual([]);
  });

  it('answers a repeat as before, also when its message is gone', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const turn = user.turn();
    const { user: message } = expectCreated(await store.appendTurn(turn));
    await store.deleteMessage({ userId: user.userId, messageId: message.messageId, at: 1 });
    const again = user.turn({ clientId: turn.clientId, bodyHash: turn.bodyHash });
    const answer = answerFor(message, turn.generationId);
    expect(await store.appendTurn(again)).toStrictEqual({ kind: 'duplicate', ...answer });
    expect(await store.changedAfter(user.conversationId, 0)).toStrictEqual([]);
  });

  it('ends nothing that is gone: its generation neither takes text nor ends', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { user: message, generation } = await user.send('One');
    const { generationId } = generation;
    await store.deleteMessage({ userId: user.userId, messageId: message.messageId, at: 1 });
    expect(await user.start(generationId)).toBe(false);
    expect(await store.appendText({ generationId, offset: 0, text: 'x' })).toBe(false);
    expect(await user.end(generationId, 'x')).toBeNull();
    expect(await store.unfinishedGenerations()).toStrictEqual([]);
  });

  it('knows no message of another user, and none twice', async () => {
    const { deleteMessage, ids } = await talk();
    expect(await deleteMessage(ids.one, 'somebody')).toBeNull();
    expect(await deleteMessage('unknown')).toBeNull();
    expect(await deleteMessage(ids.one)).not.toBeNull();
    expect(await deleteMessage(ids.one)).toBeNull();
  });

  it('takes a branch of thousands out at once', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const first = await user.send('0');
    for (let turn = 1; turn < 1500; turn += 1) await user.send(`${turn}`);
    const gone = await store.deleteMessage({ userId: user.userId, messageId: first.user.messageId, at: 1 });
    expect(gone?.messageIds).toHaveLength(3000);
    expect(await store.changedAfter(user.conversationId, 0)).toStrictEqual([]);
  }, 180_000);
}
