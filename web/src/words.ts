/** What the page says, in plain words. */
import type { Fault } from '../../src/client/fault.ts';
import type { ChatMessage, ReactionKind } from '../../src/client/state.ts';

export const companionName = 'Amity';

export const suggestions = [
  'I had a long day and just want to talk.',
  'Tell me something that will make me smile.',
  'Help me plan a quiet weekend.',
] as const;

export const reactionWords: Readonly<Record<ReactionKind, string>> = {
  up: 'Good reply',
  down: 'Poor reply',
  love: 'Love it',
  funny: 'Funny',
  meaningless: 'Makes no sense',
  offensive: 'Offensive',
};

/** Why a reply is not what the companion would have said itself. */
export const finishNotes: Readonly<Partial<Record<NonNullable<ChatMessage['finishReason']>, string>>> = {
  canned: `A prepared reply: ${companionName} may have been busy. You can ask for a new answer.`,
  filtered: `${companionName} found no good words for this. You can ask for a new answer.`,
};

const faultWords: Readonly<Partial<Record<Fault['code'], string>>> = {
  model_unavailable: `${companionName} is still waking up: its language model is not loaded yet. Give it a moment.`,
  overloaded: `Many people are talking with ${companionName} right now. Please try again in a few seconds.`,
  rate_limited: 'That was a lot at once. Please wait a few seconds.',
  store_unavailable: 'The server cannot save messages at the moment.',
  shutting_down: 'The server is restarting. It should be back shortly.',
  too_large: 'That message is too long.',
  timeout: 'The server did not answer.',
  disconnected: 'There is no connection to the server.',
  unauthenticated: 'This server needs you to sign in, and this page has no valid sign-in.',
  token_expired: 'Your sign-in has ended. Reload the page to sign in again.',
  not_found: 'That is no longer there. Reload the page to see the current conversation.',
  generation_failed: 'The reply broke off.',
};

export function faultText(fault: Fault): string {
  return faultWords[fault.code] ?? 'Something went wrong on the server.';
}

export function timeText(iso: string): string {
  return new Date(iso).toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit' });
}

/** A label for the local day of `iso`, as seen from `now`. */
export function dayText(iso: string, now: Date): string {
  const day = new Date(iso);
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const daysAgo = Math.round((midnight(now) - midnight(day)) / 86_400_000);
  if (daysAgo === 0) return 'Today';
  if (daysAgo === 1) return 'Yesterday';
  const year = day.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' as const };
  return day.toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long', ...year });
}
