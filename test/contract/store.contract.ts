/**
 * What every store must keep: the promises of conversation/stores.ts and reactions/stores.ts, and the rules of
 * docs/protocol.md behind them. It knows no implementation; each one runs it from a test file of its own.
 */
import { afterEach, beforeEach, describe } from 'vitest';
import type { Store } from '../../src/storage/store.ts';
import { branchPromises } from './store-branches.contract.ts';
import { choicePromises } from './store-choices.contract.ts';
import { conversationPromises } from './store-conversations.contract.ts';
import { deletionPromises } from './store-deletions.contract.ts';
import { generationPromises } from './store-generations.contract.ts';
import { listPromises } from './store-lists.contract.ts';
import { logPromises } from './store-log.contract.ts';
import { modelPromises } from './store-model.contract.ts';
import { quotaPromises } from './store-quotas.contract.ts';
import { reactionPromises } from './store-reactions.contract.ts';
import { recordPromises } from './store-records.contract.ts';
import { searchPromises } from './store-search.contract.ts';
import { selectionPromises } from './store-selection.contract.ts';
import { textPromises } from './store-texts.contract.ts';
import { turnPromises } from './store-turns.contract.ts';
import { versionPromises } from './store-versions.contract.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Closes the store that is open, and opens what it kept. */
  reopen(): Promise<Store>;
  /** Closes it and removes all that it kept. */
  remove(): Promise<void>;
}

/** Opens a new, empty store. */
export type OpenStore = () => Promise<OpenedStore>;

/** The store of the running test. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Milliseconds since the epoch. */
  now: number;
  reopen(): Promise<Store>;
}

/** Random operations that are compared with the model. */
export interface Sequences {
  /** In every run of the tests; a long one has more. */
  readonly count: number;
  /** Milliseconds that each may take. */
  readonly msEach: number;
}

export function storeContract(
  name: string,
  open: OpenStore,
  sequences: Sequences = { count: 60, msEach: 200 },
): void {
  describe(`the store contract, ${name}`, () => {
    let opened: OpenedStore | undefined;
    const underTest = {
      now: 0,
      get store() {
        if (opened === undefined) throw new Error('No store is open.');
        return opened.store;
      },
      reopen() {
        if (opened === undefined) throw new Error('No store is open.');
        return opened.reopen();
      },
    };
    beforeEach(async () => {
      underTest.now = Date.UTC(2026, 0, 1);
      opened = await open();
    });
    afterEach(async () => {
      await opened?.remove();
      opened = undefined;
    });

    describe('conversations', () => conversationPromises(underTest));
    describe('several conversations', () => listPromises(underTest));
    describe('deletions', () => deletionPromises(underTest));
    describe('search', () => searchPromises(underTest));
    describe('turns', () => turnPromises(underTest));
    describe('quotas', () => quotaPromises(underTest));
    describe('branches and pages', () => branchPromises(underTest));
    describe('versions of messages', () => versionPromises(underTest));
    describe('the selected branch', () => selectionPromises(underTest));
    describe('generations', () => generationPromises(underTest));
    describe('the generation log', () => logPromises(underTest));
    describe('choices', () => choicePromises(underTest));
    describe('reactions', () => reactionPromises(underTest));
    describe('texts', () => textPromises(underTest));
    describe('records', () => recordPromises(underTest));
    describe('any sequence of operations', () => modelPromises(underTest, sequences));
  });
}
