import { type Connection, mongo } from 'mongoose';
import type { Store } from '../store.ts';
import { createBranchReads } from './branch-reads.ts';
import { createChanges } from './changes.ts';
import { choiceMethods } from './choices.ts';
import { claimMethods } from './claims.ts';
import type { Context } from './context.ts';
import { conversationDeletionMethods, removeDeleted } from './conversation-deletion.ts';
import { conversationListMethods } from './conversation-list.ts';
import { conversationMethods } from './conversations.ts';
import { copyMarkMethods, refuseHalfCopied } from './copy-mark.ts';
import { erasureMethods } from './erasure.ts';
import { generationMethods } from './generations.ts';
import { guarded } from './guarded.ts';
import { insertOnce } from './insert-once.ts';
import { createMessageReads } from './message-reads.ts';
import { createModels, type Models } from './models.ts';
import { type MongoStoreOptions, namingServer, openConnection } from './open-connection.ts';
import { reactionMethods } from './reactions.ts';
import { recordReadMethods } from './read-records.ts';
import { prepareDatabase } from './schema-state.ts';
import { searchMethods } from './search.ts';
import { settingsMethods } from './settings.ts';
import { treeMethods } from './tree.ts';
import { turnMethods } from './turns.ts';
import { recordWriteMethods } from './write-records.ts';

/**
 * Opens the store kept in a MongoDB, or in what speaks its protocol. Several processes may open the same.
 *
 * @throws CodedError `store_unavailable`, with a sentence that names the server and what is wrong.
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<Store> {
  const connection = await openConnection(options);
  try {
    const models = createModels(connection);
    await prepareDatabase(connection, models);
    if (options.isCopyTarget !== true) await refuseHalfCopied(models);
    await removeDeleted(models);
    return createMongoStore(connection, models, options);
  } catch (error) {
    await connection.close();
    throw namingServer(error, options);
  }
}

/** The store on an open connection, which it closes with itself. */
function createMongoStore(connection: Connection, models: Models, options: MongoStoreOptions): Store {
  const context: Context = {
    models,
    changes: createChanges(models),
    reads: createMessageReads(models),
    branches: createBranchReads(models),
  };
  const store: Store = {
    ...conversationMethods(context),
    ...conversationListMethods(context),
    ...conversationDeletionMethods(context),
    ...treeMethods(context),
    ...turnMethods(context),
    ...choiceMethods(context),
    ...claimMethods(context),
    ...searchMethods(context),
    ...generationMethods(context),
    ...reactionMethods(context),
    ...settingsMethods(models),
    ...recordReadMethods(context),
    ...recordWriteMethods(context),
    ...erasureMethods(context),
    ...copyMarkMethods(models),
    async appendFeedback(feedback) {
      const document = { _id: new mongo.ObjectId(), ...feedback };
      await insertOnce(models.sessionFeedback, [document], {});
    },
    async ping() {
      await models.meta.updateOne({ _id: 'ping' }, { $inc: { value: 1 } }, { upsert: true });
    },
    async [Symbol.asyncDispose]() {
      await context.changes.settled();
      await connection.close();
    },
  };
  return guarded(store, options);
}
