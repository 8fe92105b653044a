import { createHash, timingSafeEqual } from 'node:crypto';
import { invalidRequest, type Refusal } from './refusal.ts';

/** Who may use the endpoint. `open`: anybody, with whatever key; OpenAI's clients cannot do without one. */
export type CompletionAccess =
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' };

/** @returns why a request with this Authorization header is refused; null: it is let in. */
export function refuseAccess(access: CompletionAccess, header: string | undefined): Refusal | null {
  if (access.kind === 'open') return null;
  if (access.kind === 'closed') {
    return unauthenticated('This server has no API keys, so this endpoint is closed: set AMITY_API_KEYS.');
  }
  const key = /^Bearer ([^\s]+)$/i.exec(header ?? '')?.[1];
  if (key === undefined) {
    return unauthenticated('An API key is needed: send it as "Authorization: Bearer <key>".');
  }
  return isAnyOf(access.keys, key) ? null : unauthenticated('The API key is not one of this server.');
}

const unauthenticated = (message: string) =>
  invalidRequest(message, { code: 'invalid_api_key', status: 401 });

/** Digests have one length and all are compared, so the time tells neither the length nor the position of a key. */
function isAnyOf(keys: readonly string[], key: string): boolean {
  const given = digest(key);
  return keys.map((one) => timingSafeEqual(digest(one), given)).includes(true);
}

const digest = (text: string) => createHash('sha256').update(text).digest();
