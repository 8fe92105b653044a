/** How much one user may ask for on one day. */
import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { createScenario, expectCreated } from './store-scenario.ts';

const quota = { day: '2026-11-29', turnsMax: 3 };

export function quotaPromises(underTest: StoreUnderTest): void {
  it('takes turns, edits and further replies up to the number, and says what is too much', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const first = expectCreated(await store.appendTurn(user.turn({ quota })));
    expectCreated(await store.appendTurn(user.turn({ quota, place: { siblingOf: first.user.messageId } })));
    const reply = user.reply(first.companion.messageId, { quota });
    expect((await store.appendReply(reply)).kind).toBe('created');
    expect(await store.appendTurn(user.turn({ quota }))).toStrictEqual({ kind: 'over_quota' });
    const another = user.reply(first.companion.messageId, { quota });
    expect(await store.appendReply(another)).toStrictEqual({ kind: 'over_quota' });
    expect((await store.conversation(user.userId, user.conversationId))?.lastSeq).toBe(5);
  });

  it('counts what was taken, not what was repeated or refused', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const turn = user.turn({ quota });
    expectCreated(await store.appendTurn(turn));
    for (let n = 0; n < 5; n += 1) {
      expect((await store.appendTurn(turn)).kind).toBe('duplicate');
      expect((await store.appendTurn(user.turn({ quota, conversationId: 'unknown' }))).kind).toBe(
        'not_found',
      );
    }
    expectCreated(await store.appendTurn(user.turn({ quota })));
    expectCreated(await store.appendTurn(user.turn({ quota })));
    expect((await store.appendTurn(turn)).kind).toBe('duplicate');
  });

  it('goes on with the day when it is opened again, and begins the next one anew', async () => {
    const user = await createScenario(underTest.store);
    for (let n = 0; n < quota.turnsMax; n += 1)
      expectCreated(await underTest.store.appendTurn(user.turn({ quota })));
    const reopened = await underTest.reopen();
    expect((await reopened.appendTurn(user.turn({ quota }))).kind).toBe('over_quota');
    const tomorrow = { ...quota, day: '2026-11-30' };
    expectCreated(await reopened.appendTurn(user.turn({ quota: tomorrow })));
  });

  it('counts all conversations of a user, also those that they have deleted since', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId } = user;
    const other = { userId, conversationId: `${user.conversationId}-other`, title: null, personaId: null };
    await store.createConversation({ ...other, at: 1 });
    const inOther = { quota, conversationId: other.conversationId };
    expectCreated(await store.appendTurn(user.turn(inOther)));
    expectCreated(await store.appendTurn(user.turn(inOther)));
    expectCreated(await store.appendTurn(user.turn({ quota })));
    expect((await store.appendTurn(user.turn({ quota }))).kind).toBe('over_quota');
    await store.deleteConversation(userId, other.conversationId);
    expect((await store.appendTurn(user.turn({ quota }))).kind).toBe('over_quota');
    const tomorrow = { ...quota, day: '2026-11-30' };
    expectCreated(await store.appendTurn(user.turn({ quota: tomorrow })));
  });

  it('counts each user alone, and the guest together with the account that claims them', async () => {
    const { store } = underTest;
    const [guest, account] = [await createScenario(store), await createScenario(store)];
    expectCreated(await store.appendTurn(guest.turn({ quota })));
    expectCreated(await store.appendTurn(guest.turn({ quota })));
    expectCreated(await store.appendTurn(account.turn({ quota })));
    await store.claimUser({ from: guest.userId, to: account.userId });
    const next = account.turn({ quota, clientId: 'used by neither' });
    expect((await store.appendTurn(next)).kind).toBe('over_quota');
  });

  it('leaves those alone who have none', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    for (let n = 0; n < 10; n += 1) expectCreated(await store.appendTurn(user.turn()));
    expectCreated(await store.appendTurn(user.turn({ quota })));
  });
}
