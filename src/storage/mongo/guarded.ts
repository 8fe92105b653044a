import type { Store } from '../store.ts';
import type { MongoStoreOptions } from './open-connection.ts';
import { createProtection } from './protection.ts';

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** The methods of a store, none of which lets an operator in, keeps anybody waiting, or lets an error of the driver out. */
export function guarded(store: Store, options: Pick<MongoStoreOptions, 'answerMs'>): Store {
  const protect = createProtection(options.answerMs);
  const methods = Object.entries(store as unknown as Record<string, Method>).map(([name, method]) => {
    const asked: Method = async (...args) => {
      args.forEach(assertPlain);
      return await protect(name, () => method(...args));
    };
    return [name, asked];
  });
  // Every method of a store, with the arguments that its type allows.
  return { ...(Object.fromEntries(methods) as Store), [Symbol.asyncDispose]: store[Symbol.asyncDispose] };
}

/** The edge has checked it by its schemas; here it would be an operator of a query, so it is looked at again. */
function assertPlain(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith('$')) throw new Error('What a store is asked with holds the name of an operator.');
    assertPlain(inner);
  }
}
