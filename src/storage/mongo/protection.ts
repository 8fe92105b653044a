/** What keeps a database that is slow or gone from keeping everybody waiting. */
import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  ConsecutiveBreaker,
  ConstantBackoff,
  circuitBreaker,
  handleWhen,
  type IPolicy,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { Error as MongooseErrors, mongo } from 'mongoose';
import { CodedError } from '../../std/coded-error.ts';
import type { Store } from '../store.ts';
import { answerMs } from './open-connection.ts';
import { toStoreError } from './store-error.ts';

/** Calls that are made at one time, and that may wait for that: who comes behind so many would wait for longer than a call may take. */
const callsMax = { made: 500, waiting: 5000 };
/** So many calls in a row that the database does not answer, and no more are made: each would take its second. */
const failuresMax = 5;
/** Then one is made after so long. */
const retryAfterMs = 1000;

type Method = Exclude<keyof Store, symbol>;

/** What goes along many messages takes the time it takes. */
const unhurried: ReadonlySet<string> = new Set([
  'claimUser',
  'conversationAges',
  'conversationRecord',
  'deleteConversation',
  'deleteMessage',
  'eraseUser',
  'putConversation',
  'putUser',
  'unfinishedGenerations',
  'userIds',
] satisfies Method[]);

/** What changes nothing is asked once more when the connection breaks. */
const reading: ReadonlySet<string> = new Set([
  'askedTurn',
  'branchPage',
  'changedAfter',
  'conversation',
  'conversationIds',
  'conversationRecord',
  'deletedAfter',
  'generation',
  'isErased',
  'listConversations',
  'message',
  'promptTrace',
  'searchMessages',
  'settings',
  'userRecord',
] satisfies Method[]);

export type Protect = <T>(method: string, call: () => Promise<T>) => Promise<T>;

/** Each call of one store, by the name of its method. @returns what throws CodedError `store_unavailable` for all that is the database's fault. */
export function createProtection(): Protect {
  // Only what says that the database is gone: a refusal is an answer.
  const breaker = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: retryAfterMs,
    breaker: new ConsecutiveBreaker(failuresMax),
  });
  const places = bulkhead(callsMax.made, callsMax.waiting);
  const inTime = timeout(answerMs, TimeoutStrategy.Aggressive);
  const onceMore = retry(handleWhen(isBrokenConnection), {
    maxAttempts: 1,
    backoff: new ConstantBackoff(20),
  });
  const policyOf = (method: string): IPolicy => {
    const once = unhurried.has(method) ? wrap(breaker, places) : wrap(breaker, places, inTime);
    return reading.has(method) ? wrap(onceMore, once) : once;
  };
  const policies = new Map<string, IPolicy>();
  return async (method, call) => {
    const policy = policies.get(method) ?? policyOf(method);
    policies.set(method, policy);
    try {
      return await policy.execute(call);
    } catch (error) {
      throw toUnavailable(error);
    }
  };
}

function toUnavailable(error: unknown): unknown {
  if (error instanceof BrokenCircuitError)
    return unavailable('The store cannot be reached at the moment.', error);
  if (error instanceof BulkheadRejectedError) return unavailable('Too much waits for the store.', error);
  if (error instanceof TaskCancelledError) return unavailable('The store does not answer.', error);
  return toStoreError(error);
}

const unavailable = (message: string, cause: unknown) =>
  new CodedError('store_unavailable', message, { cause, retryAfterMs });

function isOutage(error: unknown): boolean {
  return (
    error instanceof TaskCancelledError ||
    isBrokenConnection(error) ||
    error instanceof MongooseErrors.MongooseServerSelectionError ||
    error instanceof mongo.MongoServerSelectionError ||
    // Not exported by the driver.
    (error instanceof mongo.MongoDriverError && error.name === 'MongoWaitQueueTimeoutError')
  );
}

function isBrokenConnection(error: unknown): boolean {
  return error instanceof mongo.MongoNetworkError;
}
