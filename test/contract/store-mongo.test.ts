import mongoose from 'mongoose';
import { afterAll, beforeAll, describe } from 'vitest';
import { openMongoStore } from '../../src/storage/mongo/mongo-store.ts';
import { hasMongoServer, type MongoServer, startMongoServer } from '../support/mongo-server.ts';
import { type OpenStore, storeContract } from './store.contract.ts';

describe.runIf(hasMongoServer())('on MongoDB', () => {
  let server: MongoServer;
  beforeAll(async () => {
    server = await startMongoServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  // A machine that is busy with other tests may keep a call waiting.
  const answerMs = 30_000;
  const open: OpenStore = async () => {
    const uri = server.newDatabase();
    const opened = {
      store: await openMongoStore({ uri, answerMs }),
      async reopen() {
        await opened.store[Symbol.asyncDispose]();
        opened.store = await openMongoStore({ uri, answerMs });
        return opened.store;
      },
      async remove() {
        await opened.store[Symbol.asyncDispose]();
        const connection = await mongoose.createConnection(uri).asPromise();
        await connection.dropDatabase();
        await connection.close();
      },
    };
    return opened;
  };
  // Beyond a network each of them takes a second.
  storeContract('MongoDB', open, { count: 15, msEach: 2000 });
});
