import type { CopyTarget } from '../../records/stores.ts';
import { CodedError } from '../../std/coded-error.ts';
import type { Models } from './models.ts';

/** How far a copy into this store has come. */
export function copyMarkMethods({ meta }: Models): CopyTarget {
  return {
    async copyMark() {
      return (await meta.findById('copy').lean())?.text ?? null;
    },
    async setCopyMark(userId) {
      if (userId === null) await meta.deleteOne({ _id: 'copy' });
      else await meta.updateOne({ _id: 'copy' }, { $set: { text: userId } }, { upsert: true });
    },
  };
}

/** @throws CodedError `store_unavailable` while a copy into the store goes on, or was broken off. */
export async function refuseHalfCopied(models: Models): Promise<void> {
  if ((await copyMarkMethods(models).copyMark()) !== null)
    throw new CodedError(
      'store_unavailable',
      'a copy into it has not come to its end: run `amity db copy` again',
    );
}
