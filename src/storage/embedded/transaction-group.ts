import { toStoreError } from './store-error.ts';

/**
 * What SQLite does at a commit in write-ahead mode (https://sqlite.org/pragma.html#pragma_synchronous). FULL: it has
 * reached the disk. NORMAL: the operating system has it, so it outlives the process but not a power cut; the next FULL
 * commit takes it to the disk along with itself, and it never damages the file.
 */
export type Durability = 'FULL' | 'NORMAL';

/** The part of a connection that transactions are made of. */
export interface Transactions {
  exec(sql: string): void;
  /** Outside of a transaction only: how the next one is committed. */
  commitWith(durability: Durability): void;
  /** Told when all that was done before has been committed. */
  committed(): void;
}

/**
 * Reads and writes that come one after another, in as few transactions as can be, so that many pay for one commit. A write that fails
 * breaks off all that was done since the last commit: whoever made the group makes its calls again, each alone. That is rare, and a
 * savepoint around each write would cost a turn 8 % (docs/adr/0018). Nothing of the group may be believed before it was committed.
 */
export class TransactionGroup {
  readonly #transactions: Transactions;
  /** The transaction that is open. */
  #open: 'read' | Durability | null = null;
  /** Why no write can begin at this moment: asked once, since asking may have to wait for another process. */
  #refusal: unknown = null;
  /** What broke a transaction off, with all that had been written in it. */
  #breakage: unknown = null;

  constructor(transactions: Transactions) {
    this.#transactions = transactions;
  }

  read<T>(work: () => T): T {
    this.#checkWhole();
    try {
      if (this.#open === null) this.#begin('BEGIN', 'read');
      return work();
    } catch (error) {
      throw toStoreError(error);
    }
  }

  write<T>(durability: Durability, work: () => T): T {
    this.#checkWhole();
    // What must reach the disk would not in a transaction that need not; the other way round it does no harm.
    if (this.#open !== 'FULL' && this.#open !== durability) this.#beginWriting(durability);
    try {
      return work();
    } catch (error) {
      this.#breakage = toStoreError(error);
      throw this.#breakage;
    }
  }

  /** @throws when a transaction was broken off: what was done since the last commit has had no effect then, also what returned. */
  commit(): void {
    this.#checkWhole();
    if (this.#open === null) return;
    try {
      this.#transactions.exec('COMMIT');
      this.#open = null;
      this.#transactions.committed();
    } catch (error) {
      this.#breakage = toStoreError(error);
      throw this.#breakage;
    }
  }

  #beginWriting(durability: Durability): void {
    if (this.#refusal !== null) throw this.#refusal;
    // A transaction that has read may not be able to write any more, when another process has.
    this.commit();
    try {
      this.#transactions.commitWith(durability);
      this.#begin('BEGIN IMMEDIATE', durability);
    } catch (error) {
      this.#refusal = toStoreError(error);
      throw this.#refusal;
    }
  }

  #begin(sql: string, open: 'read' | Durability): void {
    this.#transactions.exec(sql);
    this.#open = open;
  }

  #checkWhole(): void {
    if (this.#breakage !== null) throw this.#breakage;
  }
}
