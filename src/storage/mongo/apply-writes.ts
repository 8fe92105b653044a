import type { MessageDocument, MessageUpdate, PendingWrites, Removal } from './documents.ts';
import { inStretches } from './filters.ts';
import { handOver } from './hand-over.ts';
import type { Models } from './models.ts';
import { isDuplicateKey } from './store-error.ts';

/**
 * Does what a change of a conversation has left to do, or what is still missing of it.
 *
 * @returns false when a message cannot be inserted since its client's request has made another one; nothing is written then.
 */
export async function applyWrites(
  models: Models,
  conversationId: string,
  writes: PendingWrites,
): Promise<boolean> {
  const { inserts, updates, removal, claim, preference } = writes;
  if (inserts.length > 0 && !(await insertAll(models, inserts))) return false;
  await Promise.all([
    updates.length > 0 && update(models, updates),
    removal !== null && remove(models, conversationId, removal),
    claim !== null && handOver(models, conversationId, claim),
    preference !== null &&
      models.preferences.updateOne({ _id: preference._id }, { $setOnInsert: preference }, { upsert: true }),
  ]);
  return true;
}

/** In their order: the first one tells whether there is a place for them. */
async function insertAll({ messages }: Models, documents: readonly MessageDocument[]): Promise<boolean> {
  let missing = documents;
  for (;;) {
    try {
      await messages.bulkWrite(
        missing.map((document) => ({ insertOne: { document } })),
        { ordered: true },
      );
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const ids = missing.map(({ _id }) => _id);
    const present = new Set(
      (await messages.find({ _id: { $in: ids } }, { _id: 1 }).lean()).map(({ _id }) => _id),
    );
    if (!present.has(ids[0] ?? '')) return false;
    missing = missing.filter(({ _id }) => !present.has(_id));
    if (missing.length === 0) return true;
  }
}

async function update({ messages }: Models, updates: readonly MessageUpdate[]): Promise<void> {
  await messages.bulkWrite(
    updates.map(({ messageId, rev, set, unset }) => ({
      updateOne: {
        // One that was changed after this has had it, and one that was deleted needs it no more.
        filter: { _id: messageId, rev: { $lt: rev }, deleted: { $ne: true } },
        hint: '_id_',
        update: {
          $set: { ...Object.fromEntries(set), rev },
          ...(unset.length > 0 && { $unset: Object.fromEntries(unset.map((field) => [field, 1])) }),
        },
      },
    })),
    { ordered: false },
  );
}

/** All but what keeps their places, and their clients' requests, taken. */
async function remove({ messages }: Models, conversationId: string, removal: Removal): Promise<void> {
  const { rev, stretches } = removal;
  await messages.updateMany(
    { conversationId, ...inStretches(stretches), deleted: { $ne: true } },
    {
      $set: { deleted: true, rev, text: '', reaction: null, clientMessageId: null },
      $unset: { generationId: 1, generation: 1, unfinished: 1, terms: 1, place: 1 },
    },
  );
}
