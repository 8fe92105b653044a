import { type ErrorCode, errorCodes, type WireError } from '../protocol/errors.ts';

/** What can go wrong without an answer from the server. Both are worth another try with the same ids. */
export type LocalFaultCode = 'timeout' | 'disconnected';

/** Why something did not happen: an error of the server, or the lack of an answer. */
export interface Fault {
  readonly code: ErrorCode | LocalFaultCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Fault };

export const timeoutFault: Fault = {
  code: 'timeout',
  message: 'The server did not answer.',
  retryable: true,
};

export const disconnectedFault: Fault = {
  code: 'disconnected',
  message: 'There is no connection.',
  retryable: true,
};

/** Thrown by an `auth` function to say why there is no token; `guestToken` does. */
export class AmityError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.name = 'AmityError';
    this.fault = fault;
  }
}

/** Reads `err.data` of a refused handshake or the `error` of an HTTP answer; both come from outside and may be anything. */
export function parseFault(data: unknown): Fault {
  const { code, message, retryAfterMs } = (data ?? {}) as Partial<Record<keyof WireError, unknown>>;
  const known =
    typeof code === 'string' && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'internal';
  return {
    code: known,
    message: typeof message === 'string' ? message : errorCodes[known].meaning,
    retryable: errorCodes[known].retryable,
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}
