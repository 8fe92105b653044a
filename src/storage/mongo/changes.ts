/**
 * Changes of a conversation that take more than one document, each whole or not at all, on servers without transactions.
 *
 * A change is made by one write: the conversation gets its new fields, together with what is left to write elsewhere (`pending`), unless it
 * has changed since it was read (`version`). Then that is written; doing so twice does no harm. Whoever finds writes pending that a crash
 * has left behind does them first: so all see the change whole, and the next one begins where it ends. docs/adr/0019 says why.
 */
import { CodedError } from '../../std/coded-error.ts';
import { applyWrites } from './apply-writes.ts';
import { removeOrphans } from './belongings.ts';
import { callTime } from './call-time.ts';
import type {
  Claim,
  ConversationDocument,
  ConversationFields,
  MessageDocument,
  MessageUpdate,
  PendingWrites,
  PreferenceDocument,
  Removal,
} from './documents.ts';
import { isThere } from './filters.ts';
import type { Models } from './models.ts';
import { onceMore } from './once-more.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Changes by other processes that one change gives way to. */
const attemptsMax = 20;

export interface Change<T> {
  readonly fields: ConversationFields;
  readonly inserts?: readonly MessageDocument[];
  readonly updates?: readonly MessageUpdate[];
  readonly removal?: Removal;
  readonly claim?: Claim;
  readonly preference?: PreferenceDocument;
  /** What the caller is told, when all is written. */
  readonly answer: () => T | Promise<T>;
}

export type Planned<T> = { readonly change: Change<T> } | { readonly unchanged: T };

/** What to do to a conversation as it stands; asked again when it has changed meanwhile. */
export type Plan<T, L> = (conversation: ConversationDocument, looked: L) => Promise<Planned<T>>;

export interface Changes {
  /** A conversation on which nothing is pending; null when there is none, or it is another user's. */
  find(userId: string, conversationId: string): Promise<ConversationDocument | null>;
  /** As `find`, of whatever user. */
  findAny(conversationId: string): Promise<ConversationDocument | null>;
  /**
   * @param look reads something beside the conversation, so that it may be older than that: only for what a unique index, or nobody,
   * minds.
   * @returns null when there is no such conversation.
   */
  change<T, L>(conversationId: string, look: () => Promise<L>, plan: Plan<T, L>): Promise<T | null>;
  /** Waits for what goes on after answers were given. */
  settled(): Promise<void>;
}

export function createChanges(models: Models): Changes {
  const lines = new OneAtATime();
  const settling = createSettling(models);
  const { findAny } = settling;

  async function attempt<T>(conversation: ConversationDocument, change: Change<T>): Promise<boolean> {
    const { _id, version } = conversation;
    const pending = pendingOf(conversation, change);
    const changed = { ...conversation, version: version + 1 };
    const { modifiedCount } = await models.conversations.updateOne(
      { _id, version },
      { $set: { ...change.fields, pending, version: changed.version } },
    );
    if (modifiedCount === 0) return false;
    return pending === null || (await settling.finish(changed, pending));
  }

  return {
    findAny,
    async find(userId, conversationId) {
      const conversation = await findAny(conversationId);
      return conversation?.userId === userId ? conversation : null;
    },
    change(conversationId, look, plan) {
      const work = async () => {
        for (let attempts = 0; attempts < attemptsMax; attempts += 1) {
          const [conversation, looked] = await Promise.all([findAny(conversationId), look()]);
          if (conversation === null) return null;
          // What reads much may lose its cursor.
          const planned = await onceMore(() => plan(conversation, looked));
          if ('unchanged' in planned) return planned.unchanged;
          if (await attempt(conversation, planned.change)) return planned.change.answer();
        }
        throw tooBusy();
      };
      // Whoever waits for others has time as long as the line moves.
      const time = callTime();
      return lines.run(conversationId, work, () => time?.beginAnew());
    },
    settled: settling.settled,
  };
}

/** Doing what is pending, by whomever. */
function createSettling(models: Models) {
  const { conversations } = models;
  const clearing = new Set<Promise<unknown>>();

  /** False when the change has turned out to be impossible, and was taken back. */
  async function finish(changed: ConversationDocument, pending: PendingWrites): Promise<boolean> {
    const { _id, version } = changed;
    const isWritten = await onceMore(() => applyWrites(models, _id, pending));
    if (isWritten) clear(changed);
    else
      await conversations.updateOne(
        { _id, version },
        { $set: { ...pending.before, pending: null, version: version + 1 } },
      );
    return isWritten;
  }

  /** Nobody has to wait for it: until then, what is pending would be done once more. */
  function clear({ _id, version }: ConversationDocument): void {
    const cleared = conversations
      .updateOne({ _id, version }, { $set: { pending: null } })
      .exec()
      .then(({ matchedCount }) => (matchedCount === 0 ? removeOrphans(models, _id) : undefined))
      .catch(() => {})
      .finally(() => clearing.delete(cleared));
    clearing.add(cleared);
  }

  return {
    finish,
    async findAny(conversationId: string): Promise<ConversationDocument | null> {
      for (let attempts = 0; attempts < attemptsMax; attempts += 1) {
        const conversation = await conversations
          .findOne({ _id: conversationId })
          .lean<ConversationDocument>();
        if (conversation === null || !isThere(conversation)) return null;
        if (conversation.pending === null) return conversation;
        await finish(conversation, conversation.pending);
      }
      throw tooBusy();
    },
    async settled(): Promise<void> {
      await Promise.all(clearing);
    },
  };
}

function pendingOf<T>(conversation: ConversationDocument, change: Change<T>): PendingWrites | null {
  const { fields, inserts = [], updates = [], removal = null, claim = null, preference = null } = change;
  if (inserts.length + updates.length === 0 && removal === null && claim === null && preference === null)
    return null;
  const before: Record<string, unknown> = {};
  for (const name of Object.keys(fields) as (keyof ConversationFields)[]) before[name] = conversation[name];
  return { inserts, updates, removal, claim, preference, before };
}

const tooBusy = () =>
  new CodedError('store_unavailable', 'Too much changes this conversation at once.', { retryAfterMs: 500 });
