/** What an embedded store keeps beyond what its methods give back: for training, for queries, and as guards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { createEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import { migrate } from '../../src/storage/embedded/migrations.ts';
import type { Store } from '../../src/storage/store.ts';
import { candidate, createScenario, race, type Scenario } from './store-scenario.ts';

describe('the tables of an embedded store', () => {
  let directory = '';
  let connection: Connection;
  let store: Store;
  let user: Scenario;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
    connection = new Connection(join(directory, 'amity.db'), 100);
    migrate(connection);
    store = createEmbeddedStore(connection);
    user = await createScenario(store);
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const rowsOf = (sql: string) => connection.read(() => connection.prepare<object>(sql).all([]));
  const logRows = () => rowsOf('SELECT offset, units, text FROM generation_log ORDER BY offset');

  /** A reply that ended with two candidates, the first of which is shown. */
  async function raced(end: object = {}) {
    const { companion, generation } = await user.send('Hello');
    await user.start(generation.generationId);
    const candidates = [candidate(0), candidate(1)];
    await user.end(generation.generationId, 'text 0', {
      ...{ candidates, shownCandidateId: 'candidate-0', race },
      ...end,
    });
    const { userId } = user;
    const { messageId } = companion;
    const choose = (n: number, at: number) =>
      store.chooseCandidate({ userId, messageId, candidateId: `candidate-${n}`, at });
    return { messageId, generationId: generation.generationId, choose };
  }

  it('log each preference with what was shown before it, and no choice of what was shown', async () => {
    const { messageId, generationId, choose } = await raced();
    await choose(0, 10);
    await choose(1, 20);
    await choose(1, 30);
    await choose(0, 40);
    const line = await raced({ text: 'A fixed line.', finishReason: 'filtered', shownCandidateId: null });
    await line.choose(1, 50);
    const common = { user_id: user.userId, message_id: messageId, generation_id: generationId };
    expect(rowsOf('SELECT * FROM preferences ORDER BY ordinal')).toMatchObject([
      { ...common, previous_candidate_id: 'candidate-0', chosen_candidate_id: 'candidate-1', at: 20 },
      { ...common, previous_candidate_id: 'candidate-1', chosen_candidate_id: 'candidate-0', at: 40 },
      { message_id: line.messageId, previous_candidate_id: null, chosen_candidate_id: 'candidate-1', at: 50 },
    ]);
  });

  it('never change a preference, and let it go with its conversation', async () => {
    const { choose } = await raced();
    await choose(1, 20);
    expect(() => connection.exec('UPDATE preferences SET at = 0')).toThrow(/never changed/);
    connection.exec('DELETE FROM conversations');
    const tables = ['preferences', 'candidates', 'generations', 'messages', 'client_requests'];
    for (const table of tables) expect(rowsOf(`SELECT * FROM ${table}`)).toStrictEqual([]);
  });

  it('repeat of a race what is asked of many together', async () => {
    const { generationId } = await raced();
    await raced({ race: { ...race, commit: null } });
    await raced({ race: null });
    expect(rowsOf('SELECT level, candidates, propensity FROM generations ORDER BY ordinal')).toStrictEqual([
      { level: 1, candidates: 10, propensity: 0.25 },
      { level: 1, candidates: 10, propensity: null },
      { level: null, candidates: null, propensity: null },
    ]);
    expect((await store.generation(user.userId, generationId))?.race).toStrictEqual(race);
  });

  it('hold the log of a generation until it ends, counted in UTF-16 units', async () => {
    const { generationId } = (await user.send('Hello')).generation;
    await store.appendText({ generationId, offset: 0, text: '😀\u0000' });
    await store.appendText({ generationId, offset: 3, text: '' });
    await store.appendText({ generationId, offset: 3, text: 'yes' });
    expect(logRows()).toStrictEqual([
      { offset: 0, units: 3, text: '😀\u00010' },
      { offset: 3, units: 3, text: 'yes' },
    ]);
    await user.end(generationId, '😀\u0000yes');
    expect(logRows()).toStrictEqual([]);
  });

  it.each([
    ['a log of an unknown generation', "INSERT INTO generation_log VALUES ('unknown', 0, 1, 'x')"],
    ['an empty piece', "INSERT INTO generation_log VALUES ('G', 0, 0, '')"],
    ['a piece before the beginning', "INSERT INTO generation_log VALUES ('G', -1, 1, 'x')"],
    [
      'a preference for an unknown candidate',
      "INSERT INTO preferences VALUES (NULL, 'u', 'M', 'G', 'candidate-0', 'unknown', 1)",
    ],
    [
      'a preference for the same candidate',
      "INSERT INTO preferences VALUES (NULL, 'u', 'M', 'G', 'candidate-0', 'candidate-0', 1)",
    ],
    ['a candidate of a user message', "UPDATE messages SET shown_candidate_id = 'x' WHERE role = 'user'"],
    ['a race that is no JSON', "UPDATE generations SET race = 'x'"],
    ['features that are no JSON', "UPDATE candidates SET features = 'x'"],
    ['fewer starts than none', 'UPDATE generations SET attempts = -1'],
  ])('refuse %s', async (_, sql) => {
    const { messageId, generationId } = await raced();
    const own = sql.replace("'G'", `'${generationId}'`).replace("'M'", `'${messageId}'`);
    expect(() => connection.exec(own)).toThrow(/constraint failed/);
  });
});
