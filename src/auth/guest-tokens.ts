/** Guest mode: the server signs tokens of its own, so that a person can talk without an account anywhere. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose';

const guestTokenDays = 30;
const secretBytes = 32;

export interface GuestToken {
  readonly userId: string;
  readonly token: string;
  /** ISO 8601 */
  readonly expiresAt: string;
}

/** @param now milliseconds since the epoch. */
export async function issueGuestToken(secret: Uint8Array, userId: string, now: number): Promise<GuestToken> {
  const expires = Math.floor(now / 1000) + guestTokenDays * 86_400;
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setIssuedAt(Math.floor(now / 1000))
    .setExpirationTime(expires)
    .sign(secret);
  return { userId, token, expiresAt: new Date(expires * 1000).toISOString() };
}

/** The secret of this data directory, which must exist; made at the first start, readable by its owner only. */
export async function loadGuestSecret(dataDirectory: string): Promise<Uint8Array> {
  const path = join(dataDirectory, 'guest-secret');
  try {
    await writeFile(path, randomBytes(secretBytes), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    // It was made by an earlier start.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return new Uint8Array(await readFile(path));
}
