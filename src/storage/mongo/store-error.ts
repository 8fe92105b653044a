import { Error as MongooseErrors, mongo } from 'mongoose';
import { CodedError } from '../../std/coded-error.ts';

/** Of a write under an id, or another unique value, that is taken. */
const duplicateKey = 11000;

/** Codes of the server. Clients get to read the sentences: they name no host. */
const sentences: ReadonlyMap<number | string | undefined, string> = new Map([
  [13, 'The store does not let its user do that.'],
  [18, 'The store does not take its user name and password.'],
  [8000, 'The store does not take its user name and password.'],
  [14031, 'The disk of the store is full.'],
]);

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === duplicateKey;
}

/** An error of the driver as `store_unavailable` with the original as its cause; a bug and everything else as it is. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof MongooseErrors.MongooseServerSelectionError)
    return new CodedError('store_unavailable', 'The store cannot be reached.', { cause: error });
  if (!(error instanceof mongo.MongoError) || isDuplicateKey(error)) return error;
  const sentence =
    sentences.get(error.code) ??
    (error instanceof mongo.MongoServerError
      ? 'The store cannot do its work.'
      : 'The store cannot be reached.');
  return new CodedError('store_unavailable', sentence, { cause: error });
}
