/** What keeps a database that is slow or gone from keeping everybody waiting. */
import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import { Error as MongooseErrors, mongo } from 'mongoose';
import { CodedError } from '../../std/coded-error.ts';
import type { Store } from '../store.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';
import { inTime, Silence } from './call-time.ts';
import { isBrokenConnection, onceMore } from './once-more.ts';
import { answerMs } from './open-connection.ts';
import { toStoreError } from './store-error.ts';

/** So many calls in a row that the database does not answer, and no more are made: each would take its second. */
const failuresMax = 5;
/** Then one is made after so long. */
const retryAfterMs = 1000;

type Method = Exclude<keyof Store, symbol>;

/** A call that comes further may take so many times as long as one that does not: who asks waits for it all the same. */
const inAll = 1.4;

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

/** What a reply that is being written needs: of these there are no more than the server writes replies, and who reads along waits for them. */
const alwaysLetIn: ReadonlySet<string> = new Set([
  ...unhurried,
  'startGeneration',
  'appendText',
  'endGeneration',
  'replaceCandidate',
  'ping',
] satisfies (Method | string)[]);

/** What changes nothing, or puts something whole in its place, is asked once more when the connection breaks. */
const repeatable: ReadonlySet<string> = new Set([
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
  'putConversation',
  'putUser',
  'searchMessages',
  'settings',
  'userRecord',
] satisfies Method[]);

export type Protect = <T>(method: string, call: () => Promise<T>) => Promise<T>;

/** Each call of one store, by the name of its method. @returns what throws CodedError `store_unavailable` for all that is the database's fault. */
export function createProtection(msMax = answerMs): Protect {
  // Only what says that the database is gone: a refusal is an answer.
  const breaker = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: retryAfterMs,
    breaker: new ConsecutiveBreaker(failuresMax),
  });
  const places = new AdaptiveLimit();
  // Nested, and not wrapped, so that the policies do not hand each other a signal to which all calls would listen.
  const again = <T>(method: string, once: () => Promise<T>) =>
    repeatable.has(method) ? onceMore(once) : once();
  function carryOut<T>(method: string, call: () => Promise<T>): Promise<T> {
    if (unhurried.has(method)) return again(method, () => breaker.execute(call));
    // Around the breaker, too: who finds it trying a call waits for that one. Inside, so that it hears of the silence.
    // Nobody is told when what a reply needs fails: it is tried again, and a database that is only slow would be asked for more.
    const patience = alwaysLetIn.has(method)
      ? { ms: msMax * 8, inAllMs: null }
      : { ms: msMax, inAllMs: Math.round(msMax * inAll) };
    return inTime(patience, (time) =>
      again(method, () => breaker.execute(() => Promise.race([call(), time.over]))),
    );
  }
  return async (method, call) => {
    const isLimited = !alwaysLetIn.has(method);
    if (isLimited && !places.enter()) throw unavailable('Too much waits for the store.');
    const began = performance.now();
    try {
      return await carryOut(method, call);
    } catch (error) {
      throw toUnavailable(error);
    } finally {
      if (isLimited) places.leave(performance.now() - began);
    }
  };
}

function toUnavailable(error: unknown): unknown {
  if (error instanceof BrokenCircuitError)
    return unavailable('The store cannot be reached at the moment.', error);
  if (error instanceof Silence) return unavailable('The store does not answer.', error);
  return toStoreError(error);
}

const unavailable = (message: string, cause?: unknown) =>
  new CodedError('store_unavailable', message, { cause, retryAfterMs });

function isOutage(error: unknown): boolean {
  return (
    error instanceof Silence ||
    isBrokenConnection(error) ||
    error instanceof MongooseErrors.MongooseServerSelectionError ||
    error instanceof mongo.MongoServerSelectionError ||
    // Not exported by the driver.
    (error instanceof mongo.MongoDriverError && error.name === 'MongoWaitQueueTimeoutError')
  );
}
