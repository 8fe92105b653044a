import type { Model } from 'mongoose';
import { isDuplicateKey } from './store-error.ts';

interface Identified {
  readonly _id: unknown;
}

/**
 * Inserts what is not there yet, in its order: a driver, or who finishes what another has begun, may come to it a second time.
 *
 * @param own what these have in common, and others under the same ids have not
 * @returns false when another document has a value of which there may be one only; those before it are inserted then.
 */
export async function insertOnce<T extends Identified>(
  model: Model<T>,
  documents: readonly T[],
  own: Partial<T>,
): Promise<boolean> {
  let missing = documents;
  while (missing.length > 0) {
    try {
      const inserts = missing.map((document) => ({ insertOne: { document } }));
      // The types of mongoose do not know that a document of the model's type is one.
      await model.bulkWrite(inserts as Parameters<typeof model.bulkWrite>[0], { ordered: true });
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const ids = missing.map(({ _id }) => _id);
    const found = await model.find({ ...own, _id: { $in: ids } } as object, { _id: 1 }).lean<Identified[]>();
    const present = new Set(found.map(({ _id }) => String(_id)));
    if (!present.has(String(ids[0]))) return false;
    missing = missing.filter(({ _id }) => !present.has(String(_id)));
  }
  return true;
}
