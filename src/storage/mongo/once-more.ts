import { ConstantBackoff, handleWhen, retry } from 'cockatiel';
import { mongo } from 'mongoose';

/** Codes with which a server refuses for a reason that is soon over: it is elected, goes down, was not in time, or has forgotten a cursor. */
const passing: ReadonlySet<number | string | undefined> = new Set([
  ...[6, 7, 43, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436],
]);

const policy = retry(handleWhen(isPassing), { maxAttempts: 1, backoff: new ConstantBackoff(20) });

/**
 * Makes a call once more when its connection broke, or the server refused it for now. The driver does so with each read and each write of one
 * document, and not with a write of many, nor with the rest of what a cursor gives: for what makes no difference when it is done twice.
 */
export const onceMore = <T>(call: () => Promise<T>): Promise<T> => policy.execute(call);

export function isBrokenConnection(error: unknown): boolean {
  return causeOf(error) instanceof mongo.MongoNetworkError;
}

function isPassing(error: unknown): boolean {
  const cause = causeOf(error);
  return (
    cause instanceof mongo.MongoNetworkError ||
    (cause instanceof mongo.MongoServerError && passing.has(cause.code))
  );
}

/** A bulk write wraps it. */
const causeOf = (error: unknown): unknown =>
  error instanceof mongo.MongoBulkWriteError ? (error.cause ?? error) : error;
