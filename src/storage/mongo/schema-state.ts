/** Whether a database is as this version needs it: its indexes, and the version of what is in it. */
import { type Connection, type Model, mongo } from 'mongoose';
import { CodedError } from '../../std/coded-error.ts';
import type { Models } from './models.ts';

/**
 * Grows with each change of what lies in the database that an older Amity could not work with, or a newer one not do without. 0: written
 * before versions were kept. 2: the request of a message names its user.
 */
const schemaVersion = 2;

export interface CollectionIndexes {
  readonly collection: string;
  /** Those that are needed and not there, or there as something else. */
  readonly missing: readonly string[];
  /** Those that nobody here knows: they are left alone. */
  readonly unknown: readonly string[];
}

/**
 * An empty database is made ready; any other one has to be.
 *
 * @throws CodedError `store_unavailable`, with a sentence for the operator that says what to do.
 */
export async function prepareDatabase(connection: Connection, models: Models): Promise<void> {
  const version = await versionOf(models);
  if (version === null) {
    await refuseForeign(connection, models);
    return await buildIndexes(models);
  }
  if (version > schemaVersion)
    throw unavailable(
      `it was written by a newer Amity (schema ${version}, this one knows ${schemaVersion}); update Amity`,
    );
  if (version < schemaVersion)
    throw unavailable(
      `it is of schema ${version}, and this Amity needs ${schemaVersion}: stop servers of older versions, then run \`amity db indexes --build\``,
    );
  const missing = (await compareIndexes(models)).flatMap((one) =>
    one.missing.map((name) => `${one.collection}.${name}`),
  );
  if (missing.length > 0)
    throw unavailable(`it lacks the indexes ${missing.join(', ')}: run \`amity db indexes --build\``);
}

export async function compareIndexes(models: Models): Promise<CollectionIndexes[]> {
  return await Promise.all(
    modelsOf(models).map(async (model) => {
      const { toCreate, toDrop } = await model.diffIndexes({ indexOptionsToCreate: true });
      const missing = toCreate.map(nameOfIndex);
      const { collectionName: collection } = model.collection;
      return { collection, missing, unknown: toDrop.filter((name) => !missing.includes(name)) };
    }),
  );
}

/** Builds what is missing, anew what is there as something else, and brings the database to this version. */
export async function buildIndexes(models: Models): Promise<void> {
  for (const model of modelsOf(models)) {
    await model.createCollection();
    const { toCreate, toDrop } = await model.diffIndexes({ indexOptionsToCreate: true });
    const names = new Set(toCreate.map(nameOfIndex));
    for (const name of toDrop) if (names.has(name)) await model.collection.dropIndex(name);
    await createIndexes(model);
  }
  if (((await versionOf(models)) ?? schemaVersion) < 2) await nameUsersOfRequests(models);
  await models.meta.updateOne({ _id: 'schema' }, { $set: { value: schemaVersion } }, { upsert: true });
}

async function nameUsersOfRequests({ messages }: Models): Promise<void> {
  await messages.collection.updateMany(
    { 'request.clientId': { $exists: true }, 'request.userId': { $exists: false } },
    [{ $set: { 'request.userId': '$userId' } }],
  );
}

async function createIndexes(model: Model<unknown>): Promise<void> {
  try {
    await model.createIndexes();
  } catch (error) {
    if (!(error instanceof mongo.MongoServerError)) throw error;
    const { collectionName } = model.collection;
    throw unavailable(
      `the server cannot make an index of ${collectionName} that is needed: ${error.message}`,
    );
  }
}

/** A name that was mistyped may be that of another program's database. */
async function refuseForeign(connection: Connection, models: Models): Promise<void> {
  const own = new Set(modelsOf(models).map(({ collection }) => collection.collectionName));
  const names = (await connection.listCollections()).map(({ name }) => name);
  const foreign = names.filter((name) => !own.has(name) && !name.startsWith('system.'));
  if (foreign.length > 0)
    throw unavailable(
      `it holds what another program keeps (${foreign.slice(0, 3).join(', ')}): name a database of Amity's own in MONGODB_URI`,
    );
}

/** Null: there is nothing in it. */
async function versionOf({ meta, conversations }: Models): Promise<number | null> {
  const [version, isUsed] = await Promise.all([meta.findById('schema').lean(), conversations.exists({})]);
  if (version !== null) return version.value ?? 0;
  return isUsed === null ? null : 0;
}

/** As what they have in common. */
const modelsOf = (models: Models) => Object.values(models) as unknown as readonly Model<unknown>[];

function nameOfIndex(index: unknown): string {
  const [fields, options] = index as [Record<string, unknown>, { readonly name?: string }?];
  return options?.name ?? Object.keys(fields).join('_');
}

const unavailable = (message: string) => new CodedError('store_unavailable', message);
