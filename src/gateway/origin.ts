import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a page of this origin may open a socket. Browsers do not apply CORS to WebSockets, so it is decided here:
 * no Origin (native apps), the host's own page, and listed origins are let in.
 */
export function isAllowedOrigin(headers: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
