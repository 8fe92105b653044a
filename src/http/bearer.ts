import type { Context } from 'hono';
import { CodedError } from '../std/coded-error.ts';

/** @throws CodedError `unauthenticated` for an Authorization header of another kind. */
export function bearerToken(context: Context): string | undefined {
  const header = context.req.header('authorization');
  if (header === undefined) return undefined;
  const token = /^Bearer ([^\s]+)$/i.exec(header)?.[1];
  if (token === undefined)
    throw new CodedError('unauthenticated', 'The Authorization header must be "Bearer <token>".');
  return token;
}
