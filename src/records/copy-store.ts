/**
 * Copies all of one store into another, user by user and conversation by conversation, and compares what both give then. A copy that was
 * broken off goes on behind the last user that was done; one that differs at the end is made again from the beginning.
 */
import { canonicalJson } from './canonical.ts';
import { conversationIds } from './export-user.ts';
import type { ConversationRecord, UserRecord } from './record.ts';
import type { CopyTarget, RecordStore } from './stores.ts';

/** Ids that are looked up at one time. */
const pageMax = 200;

export interface Digest {
  update(text: string): unknown;
  /** In hexadecimal. */
  digest(): string;
}

export interface StoreSummary {
  readonly users: number;
  readonly conversations: number;
  readonly messages: number;
  /** Of all records, in order. */
  readonly checksum: string;
}

export interface CopyProgress {
  readonly phase: 'copy' | 'compare';
  readonly users: number;
  readonly conversations: number;
  readonly messages: number;
}

export interface Copy {
  readonly from: RecordStore;
  readonly to: RecordStore & CopyTarget;
  /** What has expired by then is left out. */
  readonly at: number;
  readonly createDigest: () => Digest;
  readonly onProgress: (progress: CopyProgress) => void;
}

export type Copied =
  | { readonly ok: true; readonly summary: StoreSummary; readonly resumed: boolean }
  | { readonly ok: false; readonly problem: string };

export async function copyStore(copy: Copy): Promise<Copied> {
  const { from, to } = copy;
  const before = await to.copyMark();
  if (before === null && (await to.userIds({ after: null, limit: 1 })).length > 0)
    return { ok: false, problem: 'there are users in it already, and no copy into it was broken off' };
  // From now on no server opens it, until it is whole.
  await to.setCopyMark(before ?? '');
  await copyUsers(copy, before === '' ? null : before);
  await copyErased(copy);
  const counted = await summarize(from, copy);
  const copied = await summarize(to, copy);
  if (counted.checksum !== copied.checksum) {
    await to.setCopyMark('');
    return {
      ok: false,
      problem:
        `they differ afterwards: ${describe(counted)} in one and ${describe(copied)} in the other. ` +
        'Something has changed meanwhile: stop what writes to either, and copy again',
    };
  }
  await to.setCopyMark(null);
  return { ok: true, summary: copied, resumed: before !== null };
}

async function copyUsers({ from, to, at, onProgress }: Copy, behind: string | null): Promise<void> {
  const counts = nothing();
  let begun: string | null = null;
  for await (const { user, conversation } of recordsOf(from, { behind, at })) {
    if (user !== undefined) {
      if (begun !== null) await to.setCopyMark(begun);
      begun = user.userId;
      await to.putUser(user);
      counts.users += 1;
    } else {
      await to.putConversation(conversation);
      count(counts, conversation);
      onProgress({ phase: 'copy', ...counts });
    }
  }
  if (begun !== null) await to.setCopyMark(begun);
}

async function copyErased({ from, to }: Copy): Promise<void> {
  for (let after: string | null = null; ; ) {
    const page: readonly { readonly userKey: string; readonly at: number }[] = await from.erasedUsers({
      after,
      limit: pageMax,
    });
    for (const { userKey, at } of page) await to.putErased(userKey, at);
    after = page.at(-1)?.userKey ?? null;
    if (page.length < pageMax) return;
  }
}

/**
 * Counts and checksum of all that a store holds.
 *
 * @param onConversation told of each conversation
 */
export async function summarize(
  store: RecordStore,
  { at, createDigest, onProgress }: Pick<Copy, 'at' | 'createDigest' | 'onProgress'>,
  onConversation: (record: ConversationRecord) => void = () => {},
): Promise<StoreSummary> {
  const digest = createDigest();
  const counts = nothing();
  for await (const { user, conversation } of recordsOf(store, { behind: null, at })) {
    digest.update(canonicalJson(user ?? conversation));
    if (user !== undefined) counts.users += 1;
    else {
      onConversation(conversation);
      count(counts, conversation);
      onProgress({ phase: 'compare', ...counts });
    }
  }
  return { ...counts, checksum: digest.digest() };
}

type StoreRecord =
  | { readonly user: UserRecord; readonly conversation?: undefined }
  | { readonly user?: undefined; readonly conversation: ConversationRecord };

/** Each user, then their conversations. */
async function* recordsOf(
  store: RecordStore,
  { behind, at }: { readonly behind: string | null; readonly at: number },
): AsyncGenerator<StoreRecord> {
  for await (const userId of users(store, behind)) {
    yield { user: await store.userRecord(userId) };
    for await (const conversationId of conversationIds(store, userId)) {
      const conversation = await store.conversationRecord({ userId, conversationId, at });
      if (conversation !== null) yield { conversation };
    }
  }
}

const nothing = () => ({ users: 0, conversations: 0, messages: 0 });

function count(counts: ReturnType<typeof nothing>, { messages }: ConversationRecord): void {
  counts.conversations += 1;
  counts.messages += messages.length;
}

async function* users(store: RecordStore, behind: string | null): AsyncGenerator<string> {
  for (let after = behind; ; ) {
    const page: readonly string[] = await store.userIds({ after, limit: pageMax });
    yield* page;
    after = page.at(-1) ?? null;
    if (page.length < pageMax) return;
  }
}

const describe = ({ users, conversations, messages }: StoreSummary) =>
  `${users} users, ${conversations} conversations and ${messages} messages`;
