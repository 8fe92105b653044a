import { createModels } from './models.ts';
import { type MongoStoreOptions, namingServer, openConnection } from './open-connection.ts';
import { buildIndexes, type CollectionIndexes, compareIndexes } from './schema-state.ts';

/** How the indexes of a database are, and should be. Also of one that no server would open. @throws as `openMongoStore` */
export function examineIndexes(options: MongoStoreOptions): Promise<CollectionIndexes[]> {
  return withModels(options, compareIndexes);
}

/** Builds what is missing, and brings the database to the version of this Amity. @throws as `openMongoStore` */
export function buildMissingIndexes(options: MongoStoreOptions): Promise<void> {
  return withModels(options, buildIndexes);
}

async function withModels<T>(
  options: MongoStoreOptions,
  work: (models: ReturnType<typeof createModels>) => Promise<T>,
): Promise<T> {
  const connection = await openConnection(options);
  try {
    return await work(createModels(connection));
  } catch (error) {
    throw namingServer(error, options);
  } finally {
    await connection.close();
  }
}
