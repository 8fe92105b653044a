/** What the terminal says, in plain words. */
import type { Fault } from '../../client/fault.ts';
import type { ChatMessage } from '../../client/state.ts';

const faultWords: Readonly<Partial<Record<Fault['code'], string>>> = {
  model_unavailable: 'The language model is not loaded yet.',
  overloaded: 'Too many people are talking right now.',
  rate_limited: 'That was a lot at once.',
  store_unavailable: 'The server cannot save messages at the moment.',
  shutting_down: 'The server is restarting.',
  too_large: 'That message is too long.',
  unauthenticated: 'The server wants a token that it knows: give one with --token.',
  token_expired: 'The token has expired.',
  generation_failed: 'The reply broke off.',
};

export function faultText({ code, message, retryAfterMs }: Fault): string {
  const wait = retryAfterMs === undefined ? '' : ` Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return `${faultWords[code] ?? message}${wait}`;
}

/** What stands behind a reply that did not come to an end of its own; '' where it did. */
export function endNote({ status, finishReason, error }: ChatMessage): string {
  if (status === 'failed')
    return `[${error === null ? 'the reply broke off' : faultText(error)} /regenerate asks again]`;
  if (finishReason === 'canned') return '[a prepared reply: /regenerate asks again]';
  if (finishReason === 'filtered') return '[no good words were found: /regenerate asks again]';
  return status === 'cancelled' ? '[stopped]' : '';
}

/** Nothing that a text holds moves the cursor or changes the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '').replace(/\p{Bidi_Control}/gu, '');
}
