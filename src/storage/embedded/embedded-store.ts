import { resolve } from 'node:path';
import { CodedError } from '../../std/coded-error.ts';
import type { Store } from '../store.ts';
import { appendReply } from './append-reply.ts';
import { appendTurn } from './append-turn.ts';
import { prepareBranches } from './branches.ts';
import { prepareChoices } from './choices.ts';
import { prepareClaims } from './claims.ts';
import { prepareClientRequests } from './client-requests.ts';
import type { Connection } from './connection.ts';
import { conversationListMethods } from './conversation-list.ts';
import { prepareCopyMark, refuseHalfCopied } from './copy-mark.ts';
import { prepareDailyTurns } from './daily-turns.ts';
import { prepareDeletions } from './deletions.ts';
import { prepareErasure } from './erasure.ts';
import { prepareGenerationLife } from './generation-life.ts';
import { migrate } from './migrations.ts';
import { openConnection } from './open-connection.ts';
import { prepareReactionChanges } from './reaction-changes.ts';
import { prepareRecordReads } from './read-records.ts';
import { prepareRows, type Rows } from './rows.ts';
import { prepareSearch } from './search.ts';
import { prepareSearchIndex } from './search-index.ts';
import { settingsMethods } from './user-settings.ts';
import { prepareRecordWrites } from './write-records.ts';

/**
 * Milliseconds that a call waits for another process to finish writing. The wait blocks the calling thread, so it is
 * short; a client that is told `store_unavailable` sends again.
 */
const defaultBusyTimeoutMs = 1000;

export interface EmbeddedStoreOptions {
  /** Path of the database; it and its directory are made when they are missing. */
  readonly file: string;
  /** How long a call waits for another process to finish writing; 1000 when it is not given. */
  readonly busyTimeoutMs?: number;
  /** Whether another store is copied into it: then it may be one into which that was broken off. */
  readonly isCopyTarget?: boolean;
}

/**
 * Opens the store kept in one file by this process. Several processes may open the same file.
 *
 * @throws CodedError `store_unavailable`, with a sentence that names the path and what is wrong with it.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  return createEmbeddedStore(openMigrated(options));
}

/** @throws as `openEmbeddedStore`. */
export function openMigrated(options: EmbeddedStoreOptions): Connection {
  const busyTimeoutMs = options.busyTimeoutMs ?? defaultBusyTimeoutMs;
  const connection = openConnection(options.file, busyTimeoutMs);
  try {
    migrate(connection);
    if (options.isCopyTarget !== true) refuseHalfCopied(connection);
    return connection;
  } catch (error) {
    connection[Symbol.dispose]();
    throw namingFile(error, options.file);
  }
}

/**
 * The store on a migrated connection, which it closes with itself. Everything that passes through its methods is plain
 * data, so that they can be called from another thread.
 */
export function createEmbeddedStore(connection: Connection): Store {
  const rows = prepareRows(connection);
  return {
    ...conversationMethods(connection, rows),
    ...conversationListMethods(connection, rows),
    ...deletionAndSearchMethods(connection, rows),
    ...generationMethods(connection, rows),
    ...reactionMethods(connection, rows),
    ...settingsMethods(connection),
    ...recordMethods(connection, rows),
    ...upkeepMethods(connection),
  };
}

function conversationMethods(connection: Connection, rows: Rows) {
  const { conversations, messages } = rows;
  const requests = prepareClientRequests(connection);
  const requested = { requests, daily: prepareDailyTurns(connection) };
  const branches = prepareBranches(connection, rows);
  const choices = prepareChoices(connection, rows);
  const findDefault = (userId: string) => {
    const row = conversations.findDefault(userId);
    return row === undefined ? null : conversations.toConversation(row);
  };

  return {
    async defaultConversation({ userId, newConversationId, at }) {
      // libsql would give such an id back cut off, as that of another user.
      if (userId.includes('\u0000')) throw new CodedError('invalid_payload', 'A user id cannot hold U+0000.');
      const existing = connection.read(() => findDefault(userId));
      if (existing !== null) return existing;
      return connection.write(() => {
        const made = findDefault(userId);
        if (made !== null) return made;
        conversations.insertDefault({ conversationId: newConversationId, userId, at });
        const conversation = findDefault(userId);
        if (conversation === null) throw new Error('A new conversation is gone within its transaction.');
        return conversation;
      });
    },
    async conversation(userId, conversationId) {
      return connection.read(() => {
        const row = conversations.find(userId, conversationId);
        return row === undefined ? null : conversations.toConversation(row);
      });
    },
    async message(userId, messageId) {
      return connection.read(() => ownedBy(userId, messages.find(messageId)));
    },
    async branchPage(query) {
      return connection.read(() => messages.branchPage(query));
    },
    async changedAfter(conversationId, afterRev) {
      return connection.read(() => messages.changedAfter(conversationId, afterRev));
    },
    async appendTurn(turn) {
      return connection.write(() => appendTurn(rows, requested, turn));
    },
    async appendReply(reply) {
      return connection.write(() => appendReply(rows, requested, reply));
    },
    async askedTurn(userId, clientId) {
      return connection.read(() => requests.asked(userId, clientId));
    },
    async selectBranch(select) {
      return connection.write(() => branches.select(select));
    },
    async chooseCandidate(choice) {
      return connection.write(() => choices.choose(choice));
    },
  } satisfies Partial<Store>;
}

function deletionAndSearchMethods(connection: Connection, rows: Rows) {
  const deletions = prepareDeletions(connection, rows);
  const { search } = prepareSearch(connection, rows);
  const searchIndex = prepareSearchIndex(connection);
  const { claim } = prepareClaims(connection);
  const appendFeedback = connection.prepare(
    `INSERT INTO session_feedback (user_id, conversation_id, rating, at)
     VALUES (:userId, :conversationId, :rating, :at)`,
  );
  return {
    async deleteMessage(deletion) {
      return connection.write(() => deletions.delete(deletion));
    },
    async deletedAfter(conversationId, afterRev) {
      return connection.read(() => deletions.deletedAfter(conversationId, afterRev));
    },
    async searchMessages(query) {
      searchIndex.catchUp();
      return connection.read(() => search(query));
    },
    async claimUser(use) {
      return connection.write(() => claim(use));
    },
    async appendFeedback(feedback) {
      connection.write(() => appendFeedback.run({ ...feedback }));
    },
  } satisfies Partial<Store>;
}

function generationMethods(connection: Connection, rows: Rows) {
  const { generations } = rows;
  const life = prepareGenerationLife(connection, rows);
  return {
    async generation(userId, generationId) {
      return connection.read(() => ownedBy(userId, generations.find(generationId)));
    },
    async unfinishedGenerations() {
      return connection.read(() => generations.unfinished());
    },
    async startGeneration(start) {
      return connection.write(() => life.start(start));
    },
    async appendText(piece) {
      return connection.writeUnsynced(() => generations.log.append(piece));
    },
    async replaceCandidate(generationId, candidate) {
      return connection.write(() => generations.candidates.replace(generationId, candidate));
    },
    async endGeneration(end) {
      return connection.write(() => life.end(end));
    },
    async promptTrace(userId, generationId, at) {
      return connection.read(() => {
        const generation = ownedBy(userId, generations.find(generationId));
        return generation === null ? null : life.trace(generationId, at);
      });
    },
  } satisfies Partial<Store>;
}

function reactionMethods(connection: Connection, rows: Rows) {
  const changes = prepareReactionChanges(connection, rows);
  return {
    async setReaction(set) {
      return connection.write(() => changes.set(set));
    },
    async clearReaction(clear) {
      return connection.write(() => changes.clear(clear));
    },
  } satisfies Partial<Store>;
}

function recordMethods(connection: Connection, rows: Rows) {
  const reads = prepareRecordReads(connection, rows);
  const writes = prepareRecordWrites(connection, rows);
  const erasure = prepareErasure(connection);
  const copyMark = prepareCopyMark(connection);
  return {
    async userIds(page) {
      return connection.read(() => reads.userIds(page));
    },
    async userRecord(userId) {
      return connection.read(() => reads.userRecord(userId));
    },
    async conversationIds(page) {
      return connection.read(() => reads.conversationIds(page));
    },
    async conversationAges(page) {
      return connection.read(() => reads.conversationAges(page));
    },
    async conversationRecord(asked) {
      return connection.read(() => reads.conversationRecord(asked));
    },
    async putUser(record) {
      connection.write(() => writes.putUser(record));
    },
    async putConversation(record) {
      connection.write(() => writes.putConversation(record));
    },
    async eraseUser(asked) {
      connection.emptyLog();
      return connection.write(() => erasure.erase(asked));
    },
    async isErased(userKey) {
      return connection.read(() => erasure.isErased(userKey));
    },
    async erasedUsers(page) {
      return connection.read(() => erasure.erasedUsers(page));
    },
    async putErased(userKey, at) {
      connection.write(() => erasure.putErased(userKey, at));
    },
    async copyMark() {
      return connection.read(copyMark.find);
    },
    async setCopyMark(userId) {
      connection.write(() => copyMark.set(userId));
    },
  } satisfies Partial<Store>;
}

function upkeepMethods(connection: Connection) {
  // A new value each time: SQLite leaves a page alone that does not change.
  const ping = connection.prepare('UPDATE pings SET at = at + 1');
  return {
    async ping() {
      connection.write(() => ping.run([]));
    },
    async [Symbol.asyncDispose]() {
      connection[Symbol.dispose]();
    },
  } satisfies Partial<Store>;
}

function ownedBy<T extends { readonly userId: string }>(userId: string, owned: T | null): T | null {
  return owned?.userId === userId ? owned : null;
}

/** What is said to clients names no path; the operator who opens the store needs it. */
function namingFile(error: unknown, file: string): unknown {
  if (!(error instanceof CodedError)) return error;
  return new CodedError(error.code, `${resolve(file)}: ${error.message}`, { cause: error.cause });
}
