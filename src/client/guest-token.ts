import type { ErrorCode } from '../protocol/errors.ts';
import { AmityError, parseFault } from './fault.ts';
import type { KeyValueStorage } from './key-value-storage.ts';

interface Guest {
  readonly token: string;
  readonly expiresAt: string;
}

const storageKey = 'amity.guest';
/** A guest who comes back within the token's last days gets a new one for the same user. */
const renewBeforeMs = 7 * 24 * 3_600_000;

function readKept(storage: KeyValueStorage): Guest | null {
  try {
    const guest = JSON.parse(storage.getItem(storageKey) ?? 'null') as Partial<Guest> | null;
    return typeof guest?.token === 'string' && typeof guest.expiresAt === 'string' ? (guest as Guest) : null;
  } catch {
    return null;
  }
}

async function requestGuest(url: string, bearer: string | null, fetchIt: typeof fetch): Promise<Guest> {
  const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
  const response = await fetchIt(`${url}/v1/guests`, { method: 'POST', headers });
  const body = (await response.json().catch(() => null)) as (Guest & { error?: unknown }) | null;
  if (!response.ok || typeof body?.token !== 'string') throw new AmityError(parseFault(body?.error));
  return body;
}

/**
 * The token of this device's guest: kept in `storage`, made at first use, renewed before it ends.
 *
 * @param url origin of the server, '' for the page's own.
 * @param options.refused code with which the server refused the kept token: a new guest takes its place.
 * @throws AmityError when the server gives no guest tokens; TypeError when it cannot be reached.
 */
export async function guestToken(
  url: string,
  storage: KeyValueStorage,
  options: { readonly refused?: ErrorCode | null; readonly fetch?: typeof fetch } = {},
): Promise<string> {
  const fetchIt = options.fetch ?? ((input, init) => fetch(input, init));
  const kept = options.refused ? null : readKept(storage);
  const leftMs = kept === null ? 0 : Date.parse(kept.expiresAt) - Date.now();
  if (kept !== null && leftMs > renewBeforeMs) return kept.token;
  let guest: Guest;
  try {
    guest = await requestGuest(url, leftMs > 0 && kept !== null ? kept.token : null, fetchIt);
  } catch (error) {
    if (kept !== null && leftMs > 0) return kept.token;
    throw error;
  }
  try {
    storage.setItem(storageKey, JSON.stringify({ token: guest.token, expiresAt: guest.expiresAt }));
  } catch {
    // Storage is full or forbidden: the guest lives as long as the page.
  }
  return guest.token;
}
