import type { Hono } from 'hono';
import { z } from 'zod';
import type { TokenVerifier } from '../auth/verify-token.ts';
import type { Claimed } from '../conversation/stores.ts';
import { CodedError } from '../std/coded-error.ts';
import { bearerToken } from './bearer.ts';

export interface ClaimDeps {
  readonly verifyToken: TokenVerifier;
  readonly verifyGuest: TokenVerifier;
  /** Ends what is being written for the guest, and gives all that the guest has to the account. */
  readonly claim: (claim: { readonly from: string; readonly to: string }) => Promise<Claimed>;
}

const bodySchema = z.strictObject({ guestToken: z.string() });

/** `POST /v1/me/claim` with `{ guestToken }`: what a guest has said and got goes over to the account of the bearer. */
export function addClaimRoute(app: Hono, { verifyToken, verifyGuest, claim }: ClaimDeps): void {
  app.post('/v1/me/claim', async (context) => {
    context.header('cache-control', 'no-store');
    const bearer = bearerToken(context);
    if (bearer === undefined) throw new CodedError('unauthenticated', 'A bearer token is needed.');
    const { userId: to } = await verifyToken(bearer);
    const body = bodySchema.safeParse(await context.req.json().catch(() => null));
    if (!body.success) throw new CodedError('invalid_payload', 'The body must be {"guestToken": "..."}.');
    const { userId: from } = await verifyGuest(body.data.guestToken);
    if (from === to) throw new CodedError('conflict', 'Both tokens are of one user.');
    return context.json({ ...(await claim({ from, to })) });
  });
}
