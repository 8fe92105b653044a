import type { Store } from '../store.ts';
import type { Connection } from './connection.ts';
import type { SearchIndex } from './search-index.ts';
import { type StoreAnswer, type StoreCall, toSent, toSentError } from './store-calls.ts';

export interface Called {
  readonly store: Store;
  readonly connection: Connection;
  readonly searchIndex: SearchIndex;
}

/**
 * Makes several calls of a store as one group, in their order: all that they write reaches the disk in one commit, and no answer
 * is there before it. A call that fails does so alone.
 */
export async function callTogether(
  { store, connection, searchIndex }: Called,
  calls: readonly StoreCall[],
): Promise<readonly StoreAnswer[]> {
  const made: Promise<unknown>[] = [];
  let committed = 0;
  const begun = () => {
    for (const call of calls) made.push(begin(store, call));
    searchIndex.keepUp();
  };
  try {
    connection.group(begun, () => {
      committed = made.length;
    });
    committed = calls.length;
  } catch {
    // The rest has had no effect. Each call finds out for itself whether it can be done: reads can when the disk is full.
    await Promise.allSettled(made.splice(committed));
    for (const call of calls.slice(committed)) made.push(begin(store, call));
  }
  return Promise.all(calls.map((call, index) => toAnswer(call, made[index])));
}

/** The methods of an embedded store have done their work when they return their promise. */
function begin(store: Store, { method, args }: StoreCall): Promise<unknown> {
  // The caller's side was checked against the same interface (store-thread.ts).
  const perform = store[method] as (...args: readonly unknown[]) => Promise<unknown>;
  return perform(...args);
}

async function toAnswer(call: StoreCall, made: Promise<unknown> | undefined): Promise<StoreAnswer> {
  const { id } = call;
  try {
    return { id, result: { ok: true, value: toSent(call, await made) } };
  } catch (error) {
    return { id, result: toSentError(error) };
  }
}
