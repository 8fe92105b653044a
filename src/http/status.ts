import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ErrorCode } from '../protocol/errors.ts';
import { CodedError } from '../std/coded-error.ts';

const statuses: Record<ErrorCode, ContentfulStatusCode> = {
  invalid_payload: 400,
  unauthenticated: 401,
  token_expired: 401,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  overloaded: 503,
  store_unavailable: 503,
  model_unavailable: 503,
  generation_failed: 502,
  shutting_down: 503,
  unsupported: 422,
  internal: 500,
};

export function statusOf(error: unknown): ContentfulStatusCode {
  return error instanceof CodedError ? statuses[error.code] : 500;
}
