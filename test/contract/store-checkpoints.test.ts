/** The log of a store is taken into its file beside the writes. */
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoints, rowsMax } from '../../src/storage/embedded/checkpoints.ts';
import { Connection } from '../../src/storage/embedded/connection.ts';
import { openStoreThread } from '../../src/storage/embedded/store-thread.ts';
import { createScenario } from './store-scenario.ts';

describe('the log of a store', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  function open() {
    const file = join(directory, 'amity.db');
    const connection = new Connection(file, 100);
    connection.exec('CREATE TABLE notes (text TEXT NOT NULL) STRICT');
    const insert = connection.prepare('INSERT INTO notes (text) VALUES (?)');
    const write = (rows: number) =>
      connection.write(() => {
        for (let n = 0; n < rows; n++) insert.run(['a note of some length '.repeat(4)]);
      });
    return { file, connection, write, checkpoints: new Checkpoints(connection, file) };
  }

  /** What somebody finds who has the file without its log. */
  async function rowsInFile(file: string): Promise<number> {
    const copy = join(directory, 'copy.db');
    await copyFile(file, copy);
    using connection = new Connection(copy, 100);
    const count = connection.prepare<{ n: number }>('SELECT count(*) AS n FROM notes');
    return connection.read(() => count.first([])?.n ?? 0);
  }

  it('is taken into the file when many rows have been written, and begins anew', async () => {
    const { file, connection, write, checkpoints } = open();
    write(rowsMax);
    checkpoints.consider();
    await checkpoints.settled();
    expect(await rowsInFile(file)).toBe(rowsMax);
    const { size } = await stat(`${file}-wal`);
    for (let round = 0; round < 10; round++) {
      write(rowsMax);
      checkpoints.consider();
      await checkpoints.settled();
    }
    expect((await stat(`${file}-wal`)).size).toBeLessThan(size * 1.5);
    await checkpoints[Symbol.asyncDispose]();
    connection[Symbol.dispose]();
  });

  it('stays as it is while there is little in it', async () => {
    const { file, connection, write, checkpoints } = open();
    connection.checkpoint();
    write(rowsMax - 1);
    checkpoints.consider();
    await checkpoints.settled();
    expect(await rowsInFile(file)).toBe(0);
    await checkpoints[Symbol.asyncDispose]();
    connection[Symbol.dispose]();
  });

  it('waits while somebody reads an older state, and is taken the next time', async () => {
    const { file, connection, write, checkpoints } = open();
    connection.checkpoint();
    const reader = new Connection(file, 100);
    reader.exec('BEGIN');
    reader.exec('SELECT count(*) FROM notes');
    write(rowsMax);
    checkpoints.consider();
    await checkpoints.settled();
    expect(await rowsInFile(file)).toBe(0);
    reader.exec('COMMIT');
    write(rowsMax);
    checkpoints.consider();
    await checkpoints.settled();
    expect(await rowsInFile(file)).toBe(2 * rowsMax);
    reader[Symbol.dispose]();
    await checkpoints[Symbol.asyncDispose]();
    connection[Symbol.dispose]();
  });

  it('is taken by the one who writes when its thread cannot do it', async () => {
    const { file, connection, write } = open();
    const checkpoints = new Checkpoints(connection, join(directory, 'no-such-directory', 'amity.db'));
    for (let round = 1; round <= 2; round++) {
      write(rowsMax);
      checkpoints.consider();
      await checkpoints.settled();
      expect(await rowsInFile(file)).toBe(round * rowsMax);
    }
    await checkpoints[Symbol.asyncDispose]();
    connection[Symbol.dispose]();
  });

  it('keeps what a store in a thread was told, however often it is taken meanwhile', async () => {
    const file = join(directory, 'amity.db');
    const sent: string[] = [];
    {
      await using store = await openStoreThread({ file });
      const user = await createScenario(store);
      for (let round = 0; round < 10; round++) {
        const turns = Array.from({ length: Math.ceil(rowsMax / 10) }, () => user.turn());
        await Promise.all(turns.map((turn) => store.appendTurn(turn)));
        sent.push(...turns.map(({ userMessageId }) => userMessageId));
      }
    }
    // The store is closed: what is in the file alone is all there is.
    using connection = new Connection(file, 100);
    const all = connection.prepare<{ id: string }>(
      "SELECT message_id AS id FROM messages WHERE role = 'user' ORDER BY seq",
    );
    expect(connection.read(() => all.all([]).map(({ id }) => id))).toStrictEqual(sent);
  });
});
