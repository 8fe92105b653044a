import mongoose, { type Connection, mongo } from 'mongoose';
import { CodedError } from '../../std/coded-error.ts';
import { toStoreError } from './store-error.ts';

export interface MongoStoreOptions {
  /** With credentials, if it needs any. */
  readonly uri: string;
  /** Milliseconds that a call may wait for an answer; 650 when it is not given. */
  readonly answerMs?: number;
  /** Whether another store is copied into it: then it may be one into which that was broken off. */
  readonly isCopyTarget?: boolean;
}

/** Milliseconds after which a call that got no answer fails: whoever waits is told, within a second, rather than kept (call-time.ts). */
export const answerMs = 650;
/** Milliseconds after which a connection that is silent is given up; what takes longer than a call is done over it, too. */
const silentMs = 60_000;
const defaultDatabase = 'amity';

/** @throws CodedError `store_unavailable`, with a sentence that names the server and what is wrong. */
export async function openConnection(options: MongoStoreOptions): Promise<Connection> {
  const { answerMs: waitMs = answerMs } = options;
  try {
    return await mongoose
      .createConnection(options.uri, {
        ...(databaseOf(options) === null && { dbName: defaultDatabase }),
        ...{ serverSelectionTimeoutMS: waitMs, connectTimeoutMS: waitMs, waitQueueTimeoutMS: waitMs },
        ...{ socketTimeoutMS: silentMs, heartbeatFrequencyMS: 2000, bufferCommands: false },
        ...{ autoIndex: false, autoCreate: false, ignoreUndefined: true },
        // What is answered outlives the loss of a server, and so does what is read.
        ...{ writeConcern: { w: 'majority' }, readConcern: { level: 'majority' } },
        appName: 'amity',
      })
      .asPromise();
  } catch (error) {
    throw namingServer(error, options);
  }
}

/** Hosts and database, without credentials. */
export function nameOfServer(options: MongoStoreOptions): string {
  const hosts = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]*)/.exec(options.uri)?.[1] ?? '';
  return `${hosts}/${databaseOf(options) ?? defaultDatabase}`;
}

function databaseOf({ uri }: MongoStoreOptions): string | null {
  return /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]+)/.exec(uri)?.[1] ?? null;
}

/** What is said to clients names no server; the operator who opens the store needs it. */
export function namingServer(error: unknown, options: MongoStoreOptions): unknown {
  const name = nameOfServer(options);
  if (error instanceof mongo.MongoParseError)
    return new CodedError('store_unavailable', `MONGODB_URI is no connection string: ${error.message}`);
  const stored = toStoreError(error);
  if (!(stored instanceof CodedError)) return stored;
  return new CodedError(stored.code, `${name}: ${stored.message}`, { cause: stored.cause });
}
