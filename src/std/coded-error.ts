import { type ErrorCode, errorCodes, type WireError } from '../protocol/errors.ts';

/**
 * An operating failure that a client gets to see, with its code from `protocol/errors.ts`. The one error class
 * of Amity: the gateway and HTTP convert it at the edge; anything else that is thrown is a bug and becomes `internal`.
 */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What clients are told of an error: its code when it has one; of a bug nothing, its details are for the log. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof CodedError)) {
    return {
      code: 'internal',
      message: 'Something went wrong here.',
      retryable: errorCodes.internal.retryable,
    };
  }
  const { code, message, retryAfterMs } = error;
  return {
    code,
    message,
    retryable: errorCodes[code].retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
