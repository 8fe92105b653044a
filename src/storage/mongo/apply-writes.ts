import type { MessageUpdate, PendingWrites, Removal } from './documents.ts';
import { inStretches } from './filters.ts';
import { handOver } from './hand-over.ts';
import { insertOnce } from './insert-once.ts';
import type { Models } from './models.ts';

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
  // The first one tells whether there is a place for them.
  if (!(await insertOnce(models.messages, inserts, { conversationId }))) return false;
  await Promise.all([
    updates.length > 0 && update(models, conversationId, updates),
    removal !== null && remove(models, conversationId, removal),
    claim !== null && handOver(models, conversationId, claim),
    preference !== null &&
      models.preferences.updateOne({ _id: preference._id }, { $setOnInsert: preference }, { upsert: true }),
  ]);
  return true;
}

async function update(
  { messages }: Models,
  conversationId: string,
  updates: readonly MessageUpdate[],
): Promise<void> {
  await messages.bulkWrite(
    updates.map(({ seq, was, rev, set, unset }) => ({
      updateOne: {
        filter: { conversationId, rev: was, seq },
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
