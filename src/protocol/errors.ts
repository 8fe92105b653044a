/**
 * Every error code a client can meet. Free of zod, so that the client SDK can use it at run time.
 * `docs/protocol.md` shows this table; a test compares the two.
 */
export const errorCodes = {
  invalid_payload: {
    retryable: false,
    meaning: 'The event, its payload or an id in it is malformed.',
    clientDoes: 'Fix the call; the message says which field.',
  },
  unauthenticated: {
    retryable: false,
    meaning: 'No valid token was given.',
    clientDoes: 'Get a new token and connect again.',
  },
  token_expired: {
    retryable: false,
    meaning: 'The token was valid once and has ended.',
    clientDoes: 'Renew the token and connect again.',
  },
  not_found: {
    retryable: false,
    meaning: 'No such conversation, message or generation for this user.',
    clientDoes: 'Reload the conversation.',
  },
  conflict: {
    retryable: false,
    meaning: 'The id was used before with another body, or the parent does not fit.',
    clientDoes: 'Use a new id, or reload the conversation.',
  },
  too_large: {
    retryable: false,
    meaning: 'A text is over its limit in bytes.',
    clientDoes: 'Shorten it; the limits are in session:ready.',
  },
  rate_limited: {
    retryable: true,
    meaning: 'Too many events in too short a time.',
    clientDoes: 'Wait retryAfterMs, then send the same event again.',
  },
  overloaded: {
    retryable: true,
    meaning: 'The queue of generations is full; nothing was stored.',
    clientDoes: 'Wait retryAfterMs, then send the same event again.',
  },
  store_unavailable: {
    retryable: true,
    meaning: 'The store cannot be written or read; nothing was acknowledged.',
    clientDoes: 'Send the same event again, with the same id.',
  },
  model_unavailable: {
    retryable: true,
    meaning: 'No model is loaded.',
    clientDoes: 'Try again later; the operator sees why in /readyz.',
  },
  generation_failed: {
    retryable: true,
    meaning: 'The reply broke off; the text so far is kept.',
    clientDoes: 'Offer to regenerate or to send again.',
  },
  shutting_down: {
    retryable: true,
    meaning: 'The server is about to stop.',
    clientDoes: 'Reconnect, then send the same event again.',
  },
  unsupported: {
    retryable: false,
    meaning: 'Well-formed, but not possible for this object.',
    clientDoes: 'Do not offer this action here.',
  },
  internal: {
    retryable: true,
    meaning: 'A fault of the server; its log has the details.',
    clientDoes: 'Try again; report it when it stays.',
  },
} as const satisfies Record<string, { retryable: boolean; meaning: string; clientDoes: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** The error of an acknowledgement, of `connect_error` and of an HTTP answer. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
}
