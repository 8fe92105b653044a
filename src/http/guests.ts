import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, Hono } from 'hono';
import type { GuestToken } from '../auth/guest-tokens.ts';
import type { TokenVerifier } from '../auth/verify-token.ts';
import { clientAddress } from '../limits/client-address.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import { CodedError } from '../std/coded-error.ts';
import { bearerToken } from './bearer.ts';

export interface GuestIssuer {
  /** @param userId an existing guest whose token is renewed; absent: a new one. */
  issue(userId?: string): Promise<GuestToken>;
}

/** `POST /v1/guests`: a token for a new guest, or for the guest of a valid bearer token. */
export function addGuestRoute(
  app: Hono,
  deps: {
    guests: GuestIssuer | null;
    verifyToken: TokenVerifier;
    rateLimits: RateLimits;
    proxyHops: number;
  },
): void {
  app.post('/v1/guests', async (context) => {
    context.header('cache-control', 'no-store');
    if (deps.guests === null)
      throw new CodedError('unsupported', 'This server is not in guest mode: it takes tokens of its issuer.');
    await deps.rateLimits.guest(addressOf(context, deps.proxyHops));
    const bearer = bearerToken(context);
    const userId = bearer === undefined ? undefined : (await deps.verifyToken(bearer)).userId;
    return context.json(await deps.guests.issue(userId), 201);
  });
}

function addressOf(context: Context, proxyHops: number): string {
  const peer = getConnInfo(context).remote.address ?? '';
  return clientAddress(peer, context.req.header('x-forwarded-for'), proxyHops);
}
