/** Tokens: pinned algorithms, a subject and an end are demanded, and refusals say which kind they are. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { issueGuestToken, loadGuestSecret } from '../../../src/auth/guest-tokens.ts';
import { createTokenVerifier } from '../../../src/auth/verify-token.ts';

const secret = randomBytes(32);
const guest = { kind: 'guest', issuer: undefined, audience: undefined } as const;
const sign = (claims: Record<string, unknown>, key: Uint8Array = secret) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key);
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );

describe('token verifier', () => {
  it('knows the user of a token that it issued, for 30 days', async () => {
    const verify = await createTokenVerifier(guest, secret);
    const now = Date.now();
    const { token } = await issueGuestToken(secret, 'u_1', now);
    const { userId, expiresAt } = await verify(token);
    expect(userId).toBe('u_1');
    expect((expiresAt - now) / 86_400_000).toBeCloseTo(30, 3);
  });

  it('refuses what is forged, unsigned, nameless, endless or ended', async () => {
    const verify = await createTokenVerifier(guest, secret);
    const unsigned = new UnsecuredJWT({ sub: 'u' }).setExpirationTime('1h').encode();
    expect(await codeOf(verify('not.a.token'))).toBe('unauthenticated');
    expect(await codeOf(verify(unsigned))).toBe('unauthenticated');
    expect(await codeOf(verify(await sign({ sub: 'u', exp: inAnHour() }, randomBytes(32))))).toBe(
      'unauthenticated',
    );
    expect(await codeOf(verify(await sign({ exp: inAnHour() })))).toBe('unauthenticated');
    expect(await codeOf(verify(await sign({ sub: 'u' })))).toBe('unauthenticated');
    expect(await codeOf(verify(await sign({ sub: 'u\u0000', exp: inAnHour() })))).toBe('unauthenticated');
    expect(await codeOf(verify(await sign({ sub: 'u'.repeat(129), exp: inAnHour() })))).toBe(
      'unauthenticated',
    );
    expect(await codeOf(verify(await sign({ sub: 'u', exp: inAnHour() - 7200 })))).toBe('token_expired');
  });

  it('takes no HS256 token made from the public key, whatever its header says', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const verify = await createTokenVerifier({ ...guest, kind: 'public_key', pem }, secret);
    const good = await new SignJWT({ sub: 'u', exp: inAnHour() })
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(privateKey);
    expect((await verify(good)).userId).toBe('u');
    expect(
      await codeOf(verify(await sign({ sub: 'u', exp: inAnHour() }, new TextEncoder().encode(pem)))),
    ).toBe('unauthenticated');
  });

  it('checks issuer and audience when they are set', async () => {
    const verify = await createTokenVerifier({ ...guest, issuer: 'me', audience: 'amity' }, secret);
    expect((await verify(await sign({ sub: 'u', exp: inAnHour(), iss: 'me', aud: 'amity' }))).userId).toBe(
      'u',
    );
    expect(await codeOf(verify(await sign({ sub: 'u', exp: inAnHour(), iss: 'other', aud: 'amity' })))).toBe(
      'unauthenticated',
    );
  });
});

describe('guest secret', () => {
  it('is made once, kept, and readable by its owner only', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'amity-auth-'));
    const first = await loadGuestSecret(directory);
    expect(await loadGuestSecret(directory)).toEqual(first);
    expect(statSync(join(directory, 'guest-secret')).mode & 0o777).toBe(0o600);
  });
});
