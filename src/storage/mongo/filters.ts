import type { Stretch } from './lines.ts';

/** Not what is left of deleted ones. */
export const existing = { deleted: { $ne: true } } as const;

/** The same of what was read: a server may go by an index only if that has all fields of a query. */
export const isThere = ({ deleted }: { readonly deleted?: boolean | undefined }): boolean => deleted !== true;

/** What a message is read for: not what it is found by, and not its generation. */
export const shown = { generation: 0, terms: 0, request: 0 } as const;

/** Messages of a conversation that lie in one of these. */
export function inStretches(stretches: readonly Stretch[]) {
  const filters = stretches.map(({ line, from, to }) => ({ line, seq: { $gte: from, $lte: to } }));
  const [only] = filters;
  return filters.length === 1 && only !== undefined ? only : { $or: filters };
}
