import { issueGuestToken, loadGuestSecret } from './auth/guest-tokens.ts';
import { createTokenVerifier, type TokenVerifier } from './auth/verify-token.ts';
import type { Config } from './config/load.ts';
import type { GuestIssuer } from './http/guests.ts';
import type { Ids } from './random-ids.ts';
import type { RecordStore } from './records/stores.ts';
import type { Clock } from './std/clock.ts';
import { CodedError } from './std/coded-error.ts';
import { userKeyOf } from './user-key.ts';

interface Base {
  readonly config: Config;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
}

export interface Identity {
  /** Null where users come from another issuer. */
  readonly guests: GuestIssuer | null;
  readonly verifyToken: TokenVerifier;
  /** Also where users come from another issuer: somebody may have been a guest before. */
  readonly verifyGuest: TokenVerifier;
}

/** How tokens of guests are checked, whoever issues those of users. */
const guestAuth = { kind: 'guest', issuer: undefined, audience: undefined } as const;

/** Who people are, and who may become a guest. */
export async function openIdentity(
  { config, clock, ids }: Base,
  store: Pick<RecordStore, 'isErased'>,
): Promise<Identity> {
  const secret = await loadGuestSecret(config.dataDirectory);
  const verifyGuest = refuseErased(await createTokenVerifier(guestAuth, secret), store);
  if (config.auth.kind !== 'guest')
    return { guests: null, verifyToken: await createTokenVerifier(config.auth, secret), verifyGuest };
  const guests: GuestIssuer = {
    issue: (userId) => issueGuestToken(secret, userId ?? ids.userId(), clock.now()),
  };
  return {
    guests,
    verifyToken: refuseErased(await createTokenVerifier(config.auth, secret), store),
    verifyGuest,
  };
}

/** Tokens of a user who was erased are refused: they last longer than the user. @throws as `verify` */
function refuseErased(verify: TokenVerifier, store: Pick<RecordStore, 'isErased'>): TokenVerifier {
  return async (token) => {
    const verified = await verify(token);
    if (await store.isErased(userKeyOf(verified.userId)))
      throw new CodedError('unauthenticated', 'The user of this token was erased.');
    return verified;
  };
}
