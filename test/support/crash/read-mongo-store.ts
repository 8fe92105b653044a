/** As read-store.ts, of a store on MongoDB: what a crash has left pending there is part of it. */
import { tmpdir } from 'node:os';
import mongoose from 'mongoose';
import type { MessageDocument } from '../../../src/storage/mongo/documents.ts';
import { openMongoStore } from '../../../src/storage/mongo/mongo-store.ts';
import type { MongoServer } from '../mongo-server.ts';
import type { StoredHistory } from './history.ts';
import type { KilledStore } from './run-kills.ts';

export function killedMongoStore(server: MongoServer): KilledStore {
  const uri = server.newDatabase();
  return {
    directory: server.directory ?? tmpdir(),
    env: { STORE: 'mongodb', MONGODB_URI: uri },
    read: () => readMongoHistory(uri),
    mayRefuse: true,
  };
}

async function readMongoHistory(uri: string): Promise<StoredHistory> {
  const connection = await mongoose.createConnection(uri).asPromise();
  try {
    await finishPending(uri, connection);
    const documents = await connection.collection<MessageDocument>('messages').find({}).toArray();
    return {
      messages: documents
        .filter(({ deleted }) => deleted !== true)
        .map(({ _id: messageId, ...message }) => ({ messageId, ...message })),
      generations: documents.flatMap(({ generationId, userId, parentId, generation }) =>
        generationId === undefined || generation === undefined || parentId === null
          ? []
          : [{ ...generation, generationId, userId, replyTo: parentId }],
      ),
      requests: documents.flatMap(({ _id: messageId, userId, request }) =>
        request === undefined ? [] : [{ ...request, userId, messageId }],
      ),
    };
  } finally {
    await connection.close();
  }
}

async function finishPending(uri: string, connection: mongoose.Connection): Promise<void> {
  await using store = await openMongoStore({ uri });
  const conversations = connection.collection<{ _id: string; userId: string }>('conversations');
  for (const { _id, userId } of await conversations.find({}).toArray()) await store.conversation(userId, _id);
}
