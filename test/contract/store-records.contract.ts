import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ConversationRecord, UserRecord } from '../../src/records/record.ts';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import type { Store } from '../../src/storage/store.ts';
import type { StoreUnderTest } from './store.contract.ts';
import { answerFor, candidate, createScenario, race, type Scenario, unfinishedOf } from './store-scenario.ts';

interface Everything {
  readonly user: UserRecord;
  readonly conversations: readonly ConversationRecord[];
}

const quota = { day: '2026-01-01', turnsMax: 100 };

export function recordPromises(underTest: StoreUnderTest): void {
  it('gives all that is kept of a user, which another store takes, and gives again', async () => {
    const user = await createScenario(underTest.store);
    await talkAboutEverything(underTest.store, user);
    const everything = await readAll(underTest.store, user.userId);
    const [first] = everything.conversations;
    expect(everything.user).toMatchObject({ settings: { locale: 'de' }, dailyTurns: [{ turns: 1 }] });
    expect(first).toMatchObject({ isDefault: true, turnsToday: 1, title: 'A\u0000title' });
    expect(first?.deleted).toHaveLength(2);
    expect(first?.preferences).toHaveLength(1);
    expect(first?.feedback).toHaveLength(1);
    expect(first?.messages.some(({ reaction }) => reaction?.comment === 'so \u0000 good')).toBe(true);
    expect(first?.messages.some(({ generation }) => generation?.trace !== null && generation !== null)).toBe(
      true,
    );

    const directory = await mkdtemp(join(tmpdir(), 'amity-records-'));
    const other = await openEmbeddedStore({ file: join(directory, 'other.db') });
    await putAll(other, everything);
    expect(await readAll(other, user.userId)).toStrictEqual(everything);
    await underTest.store.eraseUser({ userId: user.userId, userKey: null, at: 1 });
    await putAll(underTest.store, await readAll(other, user.userId));
    expect(await readAll(underTest.store, user.userId)).toStrictEqual(everything);
    await other[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  it('goes on with a conversation that was put where it ended', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId, conversationId } = user;
    const turn = user.turn({ text: 'Remember apricots' });
    const asked = await store.appendTurn(turn);
    if (asked.kind !== 'created') throw new Error('not created');
    await user.start(asked.generation.generationId);
    await store.appendText({ ...asked.generation, offset: 0, text: 'So far' });
    await putAll(store, await readAll(store, userId));

    const unfinished = await unfinishedOf(store, conversationId);
    expect(unfinished).toMatchObject([{ generationId: turn.generationId, text: 'So far', attempts: 1 }]);
    expect(await store.appendText({ ...asked.generation, offset: 6, text: ' good' })).toBe(true);
    const duplicate = answerFor(asked.user, turn.generationId);
    expect(await store.appendTurn(turn)).toStrictEqual({ kind: 'duplicate', ...duplicate });
    const ended = await user.end(turn.generationId, 'So far good');
    const next = await user.send('And then?');
    expect(next.user).toMatchObject({ seq: 3, parentId: ended?.messageId });
    const { hits } = await store.searchMessages({
      ...{ userId, conversationId: null, words: ['aprico'], after: null, limit: 5 },
    });
    expect(hits.map(({ message }) => message.messageId)).toEqual([turn.userMessageId]);
  });

  it('lists users and their conversations by id, page by page', async () => {
    const { store } = underTest;
    const users = [await createScenario(store), await createScenario(store), await createScenario(store)];
    const [one] = users;
    for (const conversationId of ['z', 'y', 'x'])
      await store.createConversation({
        userId: one?.userId ?? '',
        conversationId,
        title: null,
        personaId: null,
        at: 1,
      });
    await store.changeSettings('only settings', { locale: 'en' });
    const ids = [...users.map(({ userId }) => userId), 'only settings'].sort();
    const listed: string[] = [];
    for (let after: string | null = null; ; after = listed.at(-1) ?? null) {
      const page = await store.userIds({ after, limit: 2 });
      listed.push(...page);
      if (page.length < 2) break;
    }
    expect(listed).toEqual(ids);
    const own = { userId: one?.userId ?? '', limit: 2 };
    expect(await store.conversationIds({ ...own, after: one?.conversationId ?? '' })).toEqual(['x', 'y']);
    expect(await store.conversationIds({ ...own, after: 'y' })).toEqual(['z']);
  });

  it('lists all conversations with their last change, page by page', async () => {
    const { store } = underTest;
    const [one, other] = [await createScenario(store), await createScenario(store)];
    await one.exchange('Hello', 'Hi');
    const first = await store.conversationAges({ after: null, limit: 1 });
    const rest = await store.conversationAges({ after: first[0]?.conversationId ?? '', limit: 5 });
    const all = [one, other].map(({ userId, conversationId }) => ({ userId, conversationId }));
    expect([...first, ...rest]).toMatchObject(
      all.sort((a, b) => (a.conversationId < b.conversationId ? -1 : 1)),
    );
    const { updatedAt } = (await store.conversation(one.userId, one.conversationId)) ?? {};
    expect([...first, ...rest].map((age) => age.updatedAt)).toContain(updatedAt);
  });

  it('has nothing of another user, or of a conversation that is gone', async () => {
    const { store } = underTest;
    const [one, other] = [await createScenario(store), await createScenario(store)];
    const { userId, conversationId } = one;
    expect(await store.conversationRecord({ userId: other.userId, conversationId, at: 0 })).toBeNull();
    await store.deleteConversation(userId, conversationId);
    expect(await store.conversationRecord({ userId, conversationId, at: 0 })).toBeNull();
    expect(await store.conversationIds({ userId, after: null, limit: 5 })).toEqual([]);
  });

  it('erases a user and nobody else, keeps their key, and may be asked again', async () => {
    const { store } = underTest;
    const [one, other] = [await createScenario(store), await createScenario(store)];
    await talkAboutEverything(store, one);
    await talkAboutEverything(store, other);
    const kept = await readAll(store, other.userId);
    const erasure = { userId: one.userId, userKey: 'key of one', at: underTest.now };
    expect(await store.isErased('key of one')).toBe(false);
    expect(await store.eraseUser(erasure)).toEqual({
      ...{
        conversations: 1,
        messages: 7,
        generations: 4,
        reactions: 1,
        preferences: 1,
        feedback: 1,
        settings: 1,
      },
    });
    const none = { conversations: 0, messages: 0, generations: 0, reactions: 0 };
    expect(await store.eraseUser(erasure)).toEqual({ ...none, preferences: 0, feedback: 0, settings: 0 });
    const again = await underTest.reopen();
    expect(await again.isErased('key of one')).toBe(true);
    expect(await again.userIds({ after: null, limit: 10 })).toEqual([other.userId]);
    expect(await again.unfinishedGenerations()).toHaveLength(1);
    expect(await readAll(again, other.userId)).toStrictEqual(kept);
  });
}

/** One of everything that a store can be given. */
async function talkAboutEverything(store: Store, user: Scenario): Promise<void> {
  const { userId, conversationId } = user;
  const at = Date.UTC(2026, 0, 2);
  await store.changeSettings(userId, { locale: 'de', trainingConsent: true });
  await store.renameConversation({ userId, conversationId, title: 'A\u0000title', at });
  const first = await store.appendTurn(user.turn({ quota }));
  if (first.kind !== 'created') throw new Error('not created');
  const { generationId } = first.generation;
  await user.start(generationId);
  const candidates = [
    candidate(0, { text: 'one', features: { length: 3, odd: Number.NaN } }),
    candidate(1, { text: 'other', logProb: Number.NaN, score: null }),
  ];
  await user.end(generationId, 'one', { candidates, shownCandidateId: 'candidate-0', race });
  const { messageId } = first.companion;
  await store.chooseCandidate({ userId, messageId, candidateId: 'candidate-1', at });
  await store.setReaction({ userId, messageId, kind: 'up', comment: 'so \u0000 good', at });
  await user.regenerate(messageId);
  const gone = await user.exchange('Forget this', 'Forgotten', messageId);
  await store.deleteMessage({ userId, messageId: gone.parentId ?? '', at });
  await user.exchange('A root', 'An answer', null);
  const failed = await user.edit(first.user.messageId, 'Edited');
  await user.end(failed.generation.generationId, '', { status: 'failed', finishReason: null });
  await store.appendFeedback({ userId, conversationId, rating: 'better', at });
  const { conversationId: deleted } = (await store.createConversation({
    ...{ userId, conversationId: `gone ${userId}`, title: null, personaId: 'p', at },
  })) as { conversationId: string };
  await store.appendTurn(user.turn({ conversationId: deleted, quota }));
  await store.deleteConversation(userId, deleted);
}

async function readAll(store: Store, userId: string): Promise<Everything> {
  const ids = await store.conversationIds({ userId, after: null, limit: 100 });
  const at = Date.UTC(2026, 0, 2);
  const records = await Promise.all(
    ids.map((conversationId) => store.conversationRecord({ userId, conversationId, at })),
  );
  return { user: await store.userRecord(userId), conversations: records.flatMap((record) => record ?? []) };
}

async function putAll(store: Store, { user, conversations }: Everything): Promise<void> {
  await store.putUser(user);
  for (const conversation of conversations) await store.putConversation(conversation);
}
