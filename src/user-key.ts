import { createHash } from 'node:crypto';

/** What is kept of a user who was erased. */
export function userKeyOf(userId: string): string {
  return createHash('sha256').update(`amity user ${userId}`).digest('base64url');
}
