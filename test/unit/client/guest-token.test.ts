/** The guest token against a scripted `fetch`: when it is asked for, kept, renewed and thrown away. */
import { expect, test } from 'vitest';
import { AmityError } from '../../../src/client/fault.ts';
import { guestToken } from '../../../src/client/guest-token.ts';
import type { KeyValueStorage } from '../../../src/client/key-value-storage.ts';

const dayMs = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString();

function memoryStorage(kept?: { token: string; expiresAt: string }): KeyValueStorage {
  const values = new Map(kept === undefined ? [] : [['amity.guest', JSON.stringify(kept)]]);
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => values.set(key, value) };
}

/** Answers with `token` and notes which bearer each request carried. */
function scripted(token: string, status = 200) {
  const bearers: (string | null)[] = [];
  const fetchIt: typeof fetch = (_url, init) => {
    bearers.push(new Headers(init?.headers).get('authorization'));
    const body =
      status === 200
        ? { userId: 'u1', token, expiresAt: inDays(30) }
        : { error: { code: 'unsupported', message: 'no guests', retryable: false } };
    return Promise.resolve(Response.json(body, { status }));
  };
  return { fetch: fetchIt, bearers };
}

test('the first token is asked for and kept', async () => {
  const storage = memoryStorage();
  const server = scripted('new');
  expect(await guestToken('', storage, server)).toBe('new');
  expect(await guestToken('', storage, server)).toBe('new');
  expect(server.bearers).toEqual([null]);
});

test('a token in its last days is renewed for the same user', async () => {
  const server = scripted('renewed');
  const storage = memoryStorage({ token: 'old', expiresAt: inDays(2) });
  expect(await guestToken('', storage, server)).toBe('renewed');
  expect(server.bearers).toEqual(['Bearer old']);
});

test('when the renewal fails the kept token goes on while it is valid', async () => {
  const storage = memoryStorage({ token: 'old', expiresAt: inDays(2) });
  expect(await guestToken('', storage, scripted('', 500))).toBe('old');
});

test('an ended or refused token gives way to a new guest', async () => {
  const ended = scripted('new');
  expect(await guestToken('', memoryStorage({ token: 'old', expiresAt: inDays(-1) }), ended)).toBe('new');
  expect(ended.bearers).toEqual([null]);
  const storage = memoryStorage({ token: 'old', expiresAt: inDays(20) });
  expect(await guestToken('', storage, { ...scripted('other'), refused: 'unauthenticated' })).toBe('other');
});

test('a server without guests is said with its code', async () => {
  const failed = await guestToken('', memoryStorage(), scripted('', 404)).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(AmityError);
  expect((failed as AmityError).fault).toMatchObject({ code: 'unsupported', retryable: false });
});

test('broken or forbidden storage does not keep anyone out', async () => {
  const broken: KeyValueStorage = {
    getItem: () => '{not json',
    setItem: () => {
      throw new Error('QuotaExceededError');
    },
  };
  expect(await guestToken('', broken, scripted('new'))).toBe('new');
});
