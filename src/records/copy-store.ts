/**
 * Copies all of one store into another, user by user and conversation by conversation, and compares what both give then. A copy that was
 * broken off goes on behind the last user that was done; one that differs at the end is made again from the beginning.
 */
import { canonicalJson } from './canonical.ts';
import { checkConversation } from './check-conversation.ts';
import { conversationIds } from './export-user.ts';
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

async function copyUsers({ from, to, at, onProgress }: Copy, after: string | null): Promise<void> {
  const done = { users: 0, conversations: 0, messages: 0 };
  for await (const userId of users(from, after)) {
    await to.putUser(await from.userRecord(userId));
    for await (const conversationId of conversationIds(from, userId)) {
      const record = await from.conversationRecord({ userId, conversationId, at });
      if (record === null) continue;
      await to.putConversation(record);
      done.conversations += 1;
      done.messages += record.messages.length;
      onProgress({ phase: 'copy', ...done });
    }
    done.users += 1;
    await to.setCopyMark(userId);
  }
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

/** Counts and checksum of all that a store holds. */
export async function summarize(
  store: RecordStore,
  { at, createDigest, onProgress }: Pick<Copy, 'at' | 'createDigest' | 'onProgress'>,
): Promise<StoreSummary> {
  const digest = createDigest();
  const counts = { users: 0, conversations: 0, messages: 0 };
  for await (const userId of users(store, null)) {
    digest.update(canonicalJson(await store.userRecord(userId)));
    counts.users += 1;
    for await (const conversationId of conversationIds(store, userId)) {
      const record = await store.conversationRecord({ userId, conversationId, at });
      if (record === null) continue;
      digest.update(canonicalJson(record));
      counts.conversations += 1;
      counts.messages += record.messages.length;
      onProgress({ phase: 'compare', ...counts });
    }
  }
  return { ...counts, checksum: digest.digest() };
}

/** Looks through all conversations of a store. */
export async function* checkStore(
  store: RecordStore,
  { at, onProgress }: Pick<Copy, 'at' | 'onProgress'>,
): AsyncGenerator<string> {
  const counts = { users: 0, conversations: 0, messages: 0 };
  for await (const userId of users(store, null)) {
    counts.users += 1;
    for await (const conversationId of conversationIds(store, userId)) {
      const record = await store.conversationRecord({ userId, conversationId, at });
      if (record === null) continue;
      yield* checkConversation(record);
      counts.conversations += 1;
      counts.messages += record.messages.length;
      onProgress({ phase: 'compare', ...counts });
    }
  }
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
