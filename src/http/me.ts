import type { Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import type { TokenVerifier } from '../auth/verify-token.ts';
import { CodedError } from '../std/coded-error.ts';
import { bearerToken } from './bearer.ts';

export interface MeDeps {
  readonly verifyToken: TokenVerifier;
  readonly rights: {
    export(userId: string): Promise<AsyncIterable<string>>;
    erase(userId: string): Promise<object>;
  };
}

/** Exports that are written at one time, for all users: each reads the store. */
const exportsMax = 4;

/** `GET /v1/me/export`: everything held on the bearer, as one JSON document. `DELETE /v1/me`: erases it, and answers with the counts. */
export function addMeRoutes(app: Hono, { verifyToken, rights }: MeDeps): void {
  let exporting = 0;
  app.get('/v1/me/export', async (context) => {
    context.header('cache-control', 'no-store');
    const userId = await bearerOf(context, verifyToken);
    if (exporting >= exportsMax)
      throw new CodedError('overloaded', 'Too many exports are being written.', { retryAfterMs: 5000 });
    exporting += 1;
    try {
      const pieces = await rights.export(userId);
      context.header('content-type', 'application/json; charset=utf-8');
      context.header('content-disposition', 'attachment; filename="amity-export.json"');
      return stream(context, async (body) => {
        try {
          for await (const piece of pieces) {
            if (body.aborted) break;
            await body.write(piece);
          }
        } finally {
          exporting -= 1;
        }
      });
    } catch (error) {
      exporting -= 1;
      throw error;
    }
  });
  app.delete('/v1/me', async (context) => {
    context.header('cache-control', 'no-store');
    return context.json({ erased: await rights.erase(await bearerOf(context, verifyToken)) });
  });
}

async function bearerOf(context: Context, verifyToken: TokenVerifier): Promise<string> {
  const bearer = bearerToken(context);
  if (bearer === undefined) throw new CodedError('unauthenticated', 'A bearer token is needed.');
  return (await verifyToken(bearer)).userId;
}
