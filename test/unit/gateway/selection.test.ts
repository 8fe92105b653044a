import { expect, test } from 'vitest';
import type { Call } from '../../../src/gateway/handler.ts';
import { tellSelected } from '../../../src/gateway/selection.ts';
import { CodedError } from '../../../src/std/coded-error.ts';

test('devices that cannot be told of a change are told from where on they have missed something', async () => {
  const told: unknown[] = [];
  const device = { emit: (event: string, payload: unknown) => told.push([event, payload]) };
  const failure = new CodedError('store_unavailable', 'The store is locked.');
  const call = {
    session: { userId: 'ada' },
    sessions: { of: (userId: string) => (userId === 'ada' ? [device, device] : []) },
    store: { conversation: () => Promise.reject(failure) },
  };
  const first = { conversationId: 'c1', rev: 7 };
  // For the log: the request itself has been answered.
  await expect(tellSelected(call as unknown as Call, first)).rejects.toBe(failure);
  const gap = ['conversation:gap', { conversationId: 'c1', afterRev: 6 }];
  expect(told).toEqual([gap, gap]);
});
