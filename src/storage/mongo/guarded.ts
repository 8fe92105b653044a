import type { Store } from '../store.ts';
import { toStoreError } from './store-error.ts';

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** The methods of a store, none of which lets an operator in, or an error of the driver out. */
export function guarded(store: Store): Store {
  const methods = Object.entries(store as unknown as Record<string, Method>).map(([name, method]) => {
    const asked: Method = async (...args) => {
      args.forEach(assertPlain);
      try {
        return await method(...args);
      } catch (error) {
        throw toStoreError(error);
      }
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
