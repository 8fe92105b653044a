import type { Message } from '../../conversation/message.ts';
import type { BranchQuery } from '../../conversation/stores.ts';
import type { MessageDocument } from './documents.ts';
import { inStretches, isThere, shown } from './filters.ts';
import { branchTo, type Forks, newestOf, pageOf, rootFork, type Stretch } from './lines.ts';
import type { Models } from './models.ts';
import { groupOf, type Sibling, siblingsUnder, withSiblings } from './to-messages.ts';

/** So many messages are read as fast as fewer: a short conversation takes one query. */
const closePlacesMin = 100;

/** The first message of a line. */
type Starter = Pick<MessageDocument, 'line' | 'fork' | 'parentId' | 'role' | 'deleted'>;

export type BranchReads = ReturnType<typeof createBranchReads>;

/** What devices read of a conversation. */
export function createBranchReads(models: Models) {
  const { messages } = models;
  return {
    async forks(conversationId: string): Promise<Forks> {
      return toForks(await startersOf(models, conversationId));
    },

    async branchPage({ conversationId, leafId, beforeSeq = Number.MAX_SAFE_INTEGER, limit }: BranchQuery) {
      const leaf = messages.findOne({ _id: leafId }, { conversationId: 1, line: 1, seq: 1, deleted: 1 });
      const [top, starters] = await Promise.all([
        leaf.lean<MessageDocument>(),
        startersOf(models, conversationId),
      ]);
      if (top?.conversationId !== conversationId || !isThere(top)) return { messages: [], hasMore: false };
      const stretches = pageOf(branchTo(toForks(starters), top), beforeSeq, limit + 1);
      if (stretches.length === 0) return { messages: [], hasMore: false };
      const found = await newestIn(models, { conversationId, stretches, count: limit + 1 });
      const page = found.slice(0, limit).reverse();
      return {
        messages: withSiblings(page, await siblingsOf(models, page, starters)),
        hasMore: found.length > limit,
      };
    },

    async changedAfter(conversationId: string, afterRev: number): Promise<Message[]> {
      const changed = messages.find({ conversationId, rev: { $gt: afterRev } }, shown);
      const [documents, starters] = await Promise.all([
        changed.lean<MessageDocument[]>(),
        startersOf(models, conversationId),
      ]);
      const ordered = documents.filter(isThere).sort((one, other) => one.seq - other.seq);
      return withSiblings(ordered, await siblingsOf(models, ordered, starters));
    },

    async deletedAfter(conversationId: string, afterRev: number): Promise<string[]> {
      const changed = await messages
        .find({ conversationId, rev: { $gt: afterRev } }, { rev: 1, seq: 1, deleted: 1 })
        .lean();
      return changed
        .filter((one) => !isThere(one))
        .sort((one, other) => one.rev - other.rev || one.seq - other.seq)
        .map(({ _id }) => _id);
    },
  };
}

/**
 * Those that lie close together are looked for first: a server that puts in order what it has found, instead of reading an index in its
 * order, would look at all of a long conversation for each page.
 */
async function newestIn(
  { messages }: Models,
  asked: { readonly conversationId: string; readonly stretches: readonly Stretch[]; readonly count: number },
): Promise<MessageDocument[]> {
  const { conversationId, stretches, count } = asked;
  const read = (part: readonly Stretch[]) =>
    messages
      .find({ conversationId, ...inStretches(part) }, shown)
      .sort({ seq: -1 })
      .limit(count)
      .lean<MessageDocument[]>();
  const close = newestOf(stretches, Math.max(count * 2, closePlacesMin));
  const found = await read(close);
  const isAll = close.length === stretches.length && close.at(-1)?.from === stretches.at(-1)?.from;
  return found.length === count || isAll ? found : await read(stretches);
}

async function startersOf({ messages }: Models, conversationId: string): Promise<Starter[]> {
  const fields = { _id: 0, line: 1, fork: 1, parentId: 1, role: 1, deleted: 1 };
  const found = await messages.find({ conversationId, 'fork.line': { $gte: 0 } }, fields).lean<Starter[]>();
  return found.filter(isThere);
}

const toForks = (starters: readonly Starter[]): Forks =>
  new Map(starters.map(({ line, fork = rootFork }) => [line, fork]));

/** Only a message that a line begins beside has siblings, so that most pages need not ask for any. */
async function siblingsOf(
  models: Models,
  page: readonly MessageDocument[],
  starters: readonly Starter[],
): Promise<Sibling[]> {
  const [first] = page;
  if (first === undefined) return [];
  const begun = new Set(starters.map(groupOf));
  const parents = new Set(page.filter((one) => begun.has(groupOf(one))).map(({ parentId }) => parentId));
  return parents.size === 0 ? [] : siblingsUnder(models, first.conversationId, [...parents]);
}
