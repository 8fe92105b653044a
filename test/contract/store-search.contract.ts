import { expect, it } from 'vitest';
import type { SearchQuery } from '../../src/conversation/stores.ts';
import type { StoreUnderTest } from './store.contract.ts';
import { createScenario } from './store-scenario.ts';

export function searchPromises(underTest: StoreUnderTest): void {
  async function search(userId: string, words: string, more: Partial<SearchQuery> = {}) {
    const query = { userId, words: words.split(' '), conversationId: null, after: null, limit: 10, ...more };
    return await underTest.store.searchMessages(query);
  }
  const textsOf = async (found: ReturnType<typeof search>) =>
    (await found).hits.map(({ message }) => message.text);

  it('finds all words of a text, whatever their case, accents and order, the last one begun', async () => {
    const user = await createScenario(underTest.store);
    await user.exchange('We met in the Café at München.', 'A fine place!');
    const texts = (words: string) => textsOf(search(user.userId, words));
    const [said] = await texts('münchen');
    expect(said).toContain('Café');
    expect(await texts('munchen CAFE')).toStrictEqual([said]);
    expect(await texts('cafe mun')).toStrictEqual([said]);
    expect(await texts('caf munchen')).toStrictEqual([]);
    expect(await texts('fine')).toStrictEqual(['A fine place!']);
    expect(await texts('paris')).toStrictEqual([]);
  });

  it('finds the newest first, page by page, in one conversation or in all', async () => {
    const user = await createScenario(underTest.store);
    const { userId } = user;
    for (const n of [1, 2, 3]) await user.exchange(`apple ${n}`, 'yes');
    const other = { userId, conversationId: 'other', title: null, personaId: null, at: 1 };
    await underTest.store.createConversation(other);
    await underTest.store.appendTurn(user.turn({ conversationId: 'other', text: 'apple 4' }));
    const first = await search(userId, 'apple', { limit: 3 });
    expect(first.hits.map(({ message }) => message.text)).toStrictEqual(['apple 4', 'apple 3', 'apple 2']);
    expect(first.hasMore).toBe(true);
    const rest = await search(userId, 'apple', { limit: 3, after: first.hits[2]?.place ?? null });
    expect([rest.hits.map(({ message }) => message.text), rest.hasMore]).toStrictEqual([['apple 1'], false]);
    expect(await textsOf(search(userId, 'apple', { conversationId: 'other' }))).toStrictEqual(['apple 4']);
  });

  it('finds nothing of another user', async () => {
    const [ada, bob] = [await createScenario(underTest.store), await createScenario(underTest.store)];
    await ada.exchange('a secret', 'kept');
    await bob.exchange('no secret', 'fine');
    expect(await textsOf(search(bob.userId, 'secret'))).toStrictEqual(['no secret']);
    expect(await textsOf(search('nobody', 'secret'))).toStrictEqual([]);
  });

  it('follows what happens to a text: an end, a choice, a deletion', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { userId } = user;
    const { companion, generation } = await user.send('Hello');
    expect(await textsOf(search(userId, 'orchid'))).toStrictEqual([]);
    const base = {
      tokens: 1,
      finishReason: 'stop',
      logProb: -1,
      score: 0,
      features: null,
      filterReason: null,
    } as const;
    const candidates = [
      { ...base, index: 0, candidateId: 'a', text: 'An orchid.' },
      { ...base, index: 1, candidateId: 'b', text: 'A tulip.' },
    ];
    await user.end(generation.generationId, 'An orchid.', { candidates, shownCandidateId: 'a' });
    expect(await textsOf(search(userId, 'orchid'))).toStrictEqual(['An orchid.']);
    const { messageId } = companion;
    await store.chooseCandidate({ userId, messageId, candidateId: 'b', at: 1 });
    expect(await textsOf(search(userId, 'orchid'))).toStrictEqual([]);
    expect(await textsOf(search(userId, 'tulip'))).toStrictEqual(['A tulip.']);
    await store.deleteMessage({ userId, messageId, at: 1 });
    expect(await textsOf(search(userId, 'tulip'))).toStrictEqual([]);
    await store.deleteConversation(userId, user.conversationId);
    expect(await textsOf(search(userId, 'hello'))).toStrictEqual([]);
  });

  it('takes every character of a query for text', async () => {
    const user = await createScenario(underTest.store);
    await user.exchange('say "hello" AND wait*', 'ok');
    for (const words of [
      '"hello"',
      'AND',
      'wait*',
      'NEAR(',
      '-',
      'owner:',
      "'",
      'text : "u00"',
      '^say',
      '\u0000',
    ])
      await expect(search(user.userId, words)).resolves.toBeDefined();
    expect(await textsOf(search(user.userId, '"hello" and'))).toHaveLength(1);
  });

  it('cuts a long text around the words', async () => {
    const user = await createScenario(underTest.store);
    await user.exchange(`${'far '.repeat(200)}needle${' away'.repeat(200)}`, 'ok');
    const [hit] = (await search(user.userId, 'needle')).hits;
    expect(hit?.excerpt).toContain('needle');
    expect(hit?.excerpt.length).toBeLessThan(200);
    expect(hit?.excerpt.startsWith('…') && hit.excerpt.endsWith('…')).toBe(true);
  });
}
