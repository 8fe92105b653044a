/** Who somebody is: a JWT is checked, and its subject is the user. */
import {
  createRemoteJWKSet,
  errors,
  importSPKI,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { AuthConfig } from '../config/load.ts';
import { CodedError } from '../std/coded-error.ts';

export interface VerifiedToken {
  readonly userId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** @throws CodedError `unauthenticated` or `token_expired`. */
export type TokenVerifier = (token: string) => Promise<VerifiedToken>;

/** A user id: 1 to 128 characters, none of them a control character. */
const subjectPattern = /^\P{Cc}{1,128}$/u;
/** Clocks of issuer and server may differ by this much. */
const clockToleranceS = 5;
const publicKeyAlgorithms = ['RS256', 'ES256', 'EdDSA'];

type Check = (token: string, options: JWTVerifyOptions) => Promise<{ readonly payload: JWTPayload }>;

/** @param guestSecret signs and checks the tokens of guest mode. */
export async function createTokenVerifier(auth: AuthConfig, guestSecret: Uint8Array): Promise<TokenVerifier> {
  const check = await createCheck(auth, guestSecret);
  const { issuer, audience } = auth;
  const options: JWTVerifyOptions = {
    clockTolerance: clockToleranceS,
    requiredClaims: ['sub', 'exp'],
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  return async (token) => {
    const { payload } = await check(token, options).catch((error: unknown): never => refuse(error));
    const { sub, exp } = payload;
    if (sub === undefined || !subjectPattern.test(sub) || exp === undefined) {
      throw new CodedError('unauthenticated', 'The token needs exp, and sub of 1 to 128 characters.');
    }
    return { userId: sub, expiresAt: exp * 1000 };
  };
}

/** Algorithms are pinned by the kind of key, never taken from the token. */
async function createCheck(auth: AuthConfig, guestSecret: Uint8Array): Promise<Check> {
  switch (auth.kind) {
    case 'guest':
      return (token, options) => jwtVerify(token, guestSecret, { ...options, algorithms: ['HS256'] });
    case 'secret': {
      const secret = new TextEncoder().encode(auth.secret);
      return (token, options) => jwtVerify(token, secret, { ...options, algorithms: ['HS256'] });
    }
    case 'public_key': {
      const { key, algorithm } = await importPublicKey(auth.pem);
      return (token, options) => jwtVerify(token, key, { ...options, algorithms: [algorithm] });
    }
    case 'jwks': {
      const keys: JWTVerifyGetKey = createRemoteJWKSet(new URL(auth.url));
      return (token, options) => jwtVerify(token, keys, { ...options, algorithms: publicKeyAlgorithms });
    }
  }
}

async function importPublicKey(pem: string) {
  for (const algorithm of publicKeyAlgorithms) {
    try {
      return { key: await importSPKI(pem, algorithm), algorithm };
    } catch {
      // It is the key of another algorithm.
    }
  }
  throw new Error('JWT_PUBLIC_KEY is no public key in SPKI PEM for RS256, ES256 or EdDSA');
}

function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired)
    throw new CodedError('token_expired', 'The token has ended.', { cause: error });
  throw new CodedError('unauthenticated', 'The token is not valid.', { cause: error });
}
