import type { Context, Hono } from 'hono';
import type { TokenVerifier } from '../auth/verify-token.ts';
import { CodedError } from '../std/coded-error.ts';
import { bearerToken } from './bearer.ts';

export interface MeDeps {
  readonly verifyToken: TokenVerifier;
  readonly rights: {
    export(userId: string): Promise<AsyncIterable<string>>;
    erase(userId: string): Promise<object>;
  };
  readonly onError: (path: string, error: unknown) => void;
}

/** Exports that are written at one time, for all users: each reads the store. */
const exportsMax = 4;

/** `GET /v1/me/export`: everything held on the bearer, as one JSON document. `DELETE /v1/me`: erases it, and answers with the counts. */
export function addMeRoutes(app: Hono, { verifyToken, rights, onError }: MeDeps): void {
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
      // Nobody would read it, or end it.
      if (context.req.method === 'HEAD') return context.body(null);
      exporting += 1;
      return context.body(
        toBody(pieces, (error) => {
          exporting -= 1;
          if (error !== undefined) onError(context.req.path, error);
        }),
      );
    } finally {
      exporting -= 1;
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

/**
 * What is asked for only as it is read. An error breaks the connection off, so that nobody takes a part for the whole.
 *
 * @param ended called once, with the error if there was one.
 */
function toBody(pieces: AsyncIterable<string>, ended: (error?: unknown) => void): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let isEnded = false;
  const end = (error?: unknown) => {
    if (!isEnded) ended(error);
    isEnded = true;
  };
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await iterator.next();
          if (done !== true) return controller.enqueue(encoder.encode(value));
          end();
          controller.close();
        } catch (error) {
          end(error);
          controller.error(error);
        }
      },
      async cancel() {
        end();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
