import type { MessageDocument } from './documents.ts';
import { existing, inStretches, isThere, shown } from './filters.ts';
import type { LinePlace, Stretch } from './lines.ts';
import type { Models } from './models.ts';

/** Messages of one parent and role: versions of one another. */
type VersionGroup = Pick<MessageDocument, 'conversationId' | 'parentId' | 'role'>;

export type MessageReads = ReturnType<typeof createMessageReads>;

/** Finding messages by what they are to one another. */
export function createMessageReads({ messages }: Models) {
  return {
    async find({ _id, userId }: { _id: string; userId: string }): Promise<MessageDocument | null> {
      const found = await messages.findOne({ _id }, { terms: 0 }).lean<MessageDocument>();
      return found?.userId === userId && isThere(found) ? found : null;
    },

    /** Whether something in the line of a message comes, or came, after it. */
    async hasFollower(conversationId: string, { line, seq }: LinePlace): Promise<boolean> {
      return (await messages.exists({ conversationId, line, seq: { $gt: seq } })) !== null;
    },

    /** By `seq`. */
    async idsIn(conversationId: string, stretches: readonly Stretch[]): Promise<string[]> {
      const found = await messages
        .find({ conversationId, ...inStretches(stretches) }, { deleted: 1 })
        .sort({ seq: 1 })
        .lean();
      return found.filter(isThere).map(({ _id }) => _id);
    },

    /** The newest message; what is the newest of all has nothing below it. `within` null: of the whole conversation. */
    async newestIn(
      conversationId: string,
      { within, without }: { within: readonly Stretch[] | null; without: readonly Stretch[] },
    ): Promise<string | null> {
      const newest = await messages
        .findOne(
          {
            $and: [
              within === null ? {} : inStretches(within),
              { $nor: without.map((one) => inStretches([one])) },
            ].filter((one) => !('$nor' in one) || one.$nor.length > 0),
            conversationId,
            ...existing,
          },
          { _id: 1 },
        )
        .sort({ seq: -1 })
        .lean();
      return newest?._id ?? null;
    },

    /** By `seq`. */
    async versions({ conversationId, parentId, role }: VersionGroup): Promise<MessageDocument[]> {
      const below = await messages
        .find({ conversationId, parentId }, shown)
        .sort({ seq: 1 })
        .lean<MessageDocument[]>();
      return below.filter((one) => one.role === role && isThere(one));
    },
  };
}
