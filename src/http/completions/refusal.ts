/** Errors in OpenAI's shape: their clients read `type`, `param` and `code`, and try again by the status. */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ErrorCode } from '../../protocol/errors.ts';
import { toWireError } from '../../std/coded-error.ts';
import { statusOf } from '../status.ts';

export interface OpenAIError {
  readonly message: string;
  readonly type: 'invalid_request_error' | 'rate_limit_error' | 'server_error';
  /** The field that is to blame, as a path: `messages[0].content`. */
  readonly param: string | null;
  readonly code: string | null;
}

export interface Refusal {
  readonly status: ContentfulStatusCode;
  readonly error: OpenAIError;
  readonly retryAfterMs?: number | undefined;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

/** A request that its client has to change. */
export function invalidRequest(
  message: string,
  more: { readonly param?: string; readonly code?: string; readonly status?: ContentfulStatusCode } = {},
): Refusal {
  const { param = null, code = null, status = 400 } = more;
  return { status, error: { message, type: 'invalid_request_error', param, code } };
}

const types: Partial<Record<ErrorCode, OpenAIError['type']>> = {
  rate_limited: 'rate_limit_error',
  invalid_payload: 'invalid_request_error',
};

/** What a generation failed with. Codes are those of `protocol/errors.ts`; of a bug nothing is told. */
export function toRefusal(error: unknown): Refusal {
  const { code, message, retryAfterMs } = toWireError(error);
  return {
    status: statusOf(error),
    error: { message, type: types[code] ?? 'server_error', param: null, code },
    retryAfterMs,
  };
}

export function answerRefusal(context: Context, { status, error, retryAfterMs }: Refusal): Response {
  if (status === 401) context.header('www-authenticate', 'Bearer');
  if (retryAfterMs !== undefined) {
    // Whole seconds are what HTTP knows; OpenAI's clients prefer the second one.
    context.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
    context.header('retry-after-ms', String(Math.ceil(retryAfterMs)));
  }
  return context.json({ error }, status);
}
