import mongoose from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMongoStore } from '../../src/storage/mongo/mongo-store.ts';
import { type MongoWire, openMongoWire, wireFaults } from '../support/faults/mongo-wire.ts';
import { hasMongoServer, type MongoServer, startMongoServer } from '../support/mongo-server.ts';
import { type OpenStore, storeContract } from './store.contract.ts';

/** Commands of which one fails. */
const everyCommands = 37;

describe.runIf(hasMongoServer())('on MongoDB', () => {
  let server: MongoServer;
  beforeAll(async () => {
    server = await startMongoServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  // Beyond a network each of them takes a second.
  const sequences = { count: 15, msEach: 2000 };
  storeContract(
    'MongoDB',
    opener(() => server.newDatabase()),
    sequences,
  );

  describe('over a link that fails', () => {
    let wire: MongoWire;
    beforeAll(async () => {
      wire = await openMongoWire(server.newDatabase());
    });
    afterAll(() => wire[Symbol.asyncDispose]());

    const viaWire = () => wire.address(server.newDatabase());
    storeContract(
      'MongoDB',
      opener(viaWire, () => wire),
      { ...sequences, count: 4 },
    );

    it('has failed in every way', () => {
      expect([...wire.happened.keys()].sort()).toStrictEqual([...wireFaults].sort());
    });
  });
});

/** @param wire fails once the store is open, and until it is removed */
function opener(newDatabase: () => string, wire: () => MongoWire | null = () => null): OpenStore {
  // A machine that is busy with other tests may keep a call waiting.
  const answerMs = 30_000;
  return async () => {
    const uri = newDatabase();
    const open = async () => {
      const store = await openMongoStore({ uri, answerMs });
      wire()?.failEvery(everyCommands);
      return store;
    };
    const opened = {
      store: await open(),
      async reopen() {
        await opened.store[Symbol.asyncDispose]();
        wire()?.failEvery(null);
        opened.store = await open();
        return opened.store;
      },
      async remove() {
        await opened.store[Symbol.asyncDispose]();
        wire()?.failEvery(null);
        const connection = await mongoose.createConnection(uri).asPromise();
        await connection.dropDatabase();
        await connection.close();
      },
    };
    return opened;
  };
}
