import { CodedError } from '../../std/coded-error.ts';
import type { Handler } from '../handler.ts';

/** The connection lives as long as the new token does. */
export const authRefresh: Handler<'auth:refresh'> = async ({ session, verifyToken }, { token }, ack) => {
  const { userId, expiresAt } = await verifyToken(token);
  if (userId !== session.userId)
    throw new CodedError('unauthenticated', 'The token is of another user than the connection.');
  session.extend(expiresAt);
  ack({ expiresAt: new Date(expiresAt).toISOString() });
};
