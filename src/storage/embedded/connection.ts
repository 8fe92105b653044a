import Database from 'libsql';
import { CodedError } from '../../std/coded-error.ts';
import { toStoreError } from './store-error.ts';
import { type Durability, TransactionGroup } from './transaction-group.ts';

/**
 * What may be bound to a statement. No boolean: libsql aborts the whole process on one. No undefined: a
 * forgotten field would become NULL.
 */
export type SqlValue = string | number | null;
/** By position, or by name. Always one of the two, never loose arguments: libsql takes a lone null for an object. */
export type SqlParams = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

export interface Statement<Row> {
  /** Returns the number of rows changed. */
  run(params: SqlParams): number;
  first(params: SqlParams): Row | undefined;
  all(params: SqlParams): readonly Row[];
}

/**
 * A page that is changed again before the log is taken into the file is written there once: so the log may have 128 MB, instead of
 * SQLite's 4. The server takes it before (checkpoints.ts).
 */
const pragmas = [
  'journal_mode = WAL',
  'foreign_keys = ON',
  'wal_autocheckpoint = 32000',
  // What is taken out leaves no trace in the file.
  'secure_delete = ON',
];

/**
 * One libsql connection. Whatever is read or written happens inside `read` or `write`, each of which is one
 * transaction, unless `group` holds several together; they are synchronous, so two of them never overlap on one connection.
 */
export class Connection implements Disposable {
  readonly #database: Database.Database;
  #durability: Durability = 'FULL';
  #group: TransactionGroup | null = null;
  #rowsWritten = 0;
  #emptiesLog = false;
  #closed = false;

  /** @throws what libsql throws; the caller knows the file and says so. */
  constructor(file: string, busyTimeoutMs: number) {
    this.#database = new Database(file, { timeout: busyTimeoutMs });
    try {
      for (const pragma of [...pragmas, `synchronous = ${this.#durability}`]) this.#database.pragma(pragma);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Statements are prepared once, when the store is opened, and used only inside `read` and `write`. */
  prepare<Row>(sql: string): Statement<Row> {
    const statement = this.#database.prepare(sql);
    return {
      run: (params) => {
        const { changes } = statement.run(params);
        this.#rowsWritten += changes;
        return changes;
      },
      // Row and columns come from the same SQL text; libsql can't check it either.
      first: (params) => statement.get(params) as Row | undefined,
      all: (params) => statement.all(params) as Row[],
    };
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  pragma(source: string): number | string | null {
    const rows = this.#database.pragma(source) as Record<string, number | string | null>[];
    return Object.values(rows[0] ?? {})[0] ?? null;
  }

  /** Since it was opened, by `run`; also what was taken back. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  /**
   * Takes what the log has into the file, as far as nobody else is in the way; outside of transactions.
   *
   * @returns the pages that the log has; null where it could not be done at all.
   */
  checkpoint(): number | null {
    try {
      const [row] = this.#database.pragma('wal_checkpoint(PASSIVE)') as { readonly log: number }[];
      return row?.log ?? null;
    } catch {
      // A full disk: the log stays, nothing is lost by that, and who writes next is told.
      return null;
    }
  }

  /**
   * What was taken out is in the log still. When the transaction that asks for it has been committed, the log is taken into the file and
   * emptied; where another process reads it at that moment, after the next one.
   */
  emptyLog(): void {
    this.#emptiesLog = true;
  }

  #emptyLog(): void {
    if (!this.#emptiesLog) return;
    const timeout = this.pragma('busy_timeout');
    try {
      this.#database.pragma('busy_timeout = 0');
      const [row] = this.#database.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[];
      this.#emptiesLog = row?.busy !== 0;
    } catch {
      // As with a checkpoint: it is tried again.
    } finally {
      this.#database.pragma(`busy_timeout = ${timeout}`);
    }
  }

  /** One consistent view of the store, also while another process writes. */
  read<T>(work: () => T): T {
    this.#checkOpen();
    if (this.#group !== null) return this.#group.read(work);
    return this.#transaction(() => this.exec('BEGIN'), work);
  }

  /** All of `work` or nothing; durable when it returns. IMMEDIATE: what `work` reads can't change before it writes. */
  write<T>(work: () => T): T {
    return this.#write('FULL', work);
  }

  /**
   * As `write`, but what it wrote may be lost in a power cut, and only then. For what comes many times a second: a piece
   * of the generation log took 0.023 ms, and 0.134 ms with FULL on the same disk, which was a fast one (means of 4,800).
   */
  writeUnsynced<T>(work: () => T): T {
    return this.#write('NORMAL', work);
  }

  /**
   * The reads and writes that `work` does share transactions. None of them may be believed before this returns.
   *
   * @param committed called when all that was done before it is as durable as it asked to be
   * @throws when what was done since then has had no effect, also what returned.
   */
  group(work: () => void, committed: () => void): void {
    this.#group = new TransactionGroup({
      exec: (sql) => this.exec(sql),
      commitWith: (durability) => this.#commitWith(durability),
      committed,
    });
    try {
      work();
      this.#group.commit();
    } finally {
      this.#group = null;
      this.#rollBack();
    }
    this.#emptyLog();
  }

  #write<T>(durability: Durability, work: () => T): T {
    this.#checkOpen();
    if (this.#group !== null) return this.#group.write(durability, work);
    const begin = () => {
      this.#commitWith(durability);
      this.exec('BEGIN IMMEDIATE');
    };
    const result = this.#transaction(begin, work);
    this.#emptyLog();
    return result;
  }

  #checkOpen(): void {
    // libsql keeps a connection usable through its statements after `close`.
    if (this.#closed) throw new CodedError('store_unavailable', 'The store is closed.');
  }

  #transaction<T>(begin: () => void, work: () => T): T {
    try {
      begin();
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw toStoreError(error);
    }
  }

  /** Set before a transaction and never after it: a write without the sync that it promises cannot begin. */
  #commitWith(durability: Durability): void {
    if (durability === this.#durability) return;
    this.#database.exec(`PRAGMA synchronous = ${durability}`);
    this.#durability = durability;
  }

  /** SQLite rolls back by itself after some errors (disk full), and after others waits to be told. */
  #rollBack(): void {
    if (!this.#database.inTransaction) return;
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // The first error says what is wrong. Should the transaction have stayed open, the next BEGIN fails.
    }
  }

  /** Moves the log into the main file. The operating system's handles go with the garbage collection of the statements. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // Another process reads or writes: the log stays beside the file and is taken up by the next opening.
    }
    this.#database.close();
  }
}
