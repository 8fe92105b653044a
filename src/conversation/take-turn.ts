/** What send, edit and regenerate share: what is refused before anything is stored, and what a repeat is answered. */
import type { Clock } from '../std/clock.ts';
import { CodedError } from '../std/coded-error.ts';
import type { Generator } from './generator.ts';
import type { Generation, Message } from './message.ts';
import type { Replies } from './replies.ts';
import type { Turn } from './reply.ts';
import type { ConversationStore, Duplicate, NotAppended, Quota } from './stores.ts';

export interface TurnDeps {
  readonly store: ConversationStore;
  readonly replies: Replies;
  readonly generator: Generator;
  readonly clock: Clock;
  readonly ids: {
    readonly conversationId: () => string;
    readonly messageId: () => string;
    readonly generationId: () => string;
  };
  /** Hash of a text, to recognise a repeated request. */
  readonly digest: (text: string) => string;
  /** True from SIGTERM on: nothing new is begun. */
  readonly draining: () => boolean;
  /** What one user may ask for on one day; null: as much as they like. */
  readonly turnsPerDayMax: number | null;
}

interface Asking<T> {
  readonly userId: string;
  /** The UUID that the client gave its request. */
  readonly clientId: string;
  readonly bodyHash: string;
  /** Stores what is asked, and puts its turn in line. */
  readonly work: () => Promise<T>;
}

/**
 * Lets a new turn in, unless it has to be refused; a repeat gets the first answer also then.
 *
 * @throws CodedError `overloaded`, `model_unavailable` or `shutting_down`, and what `work` throws; nothing is stored then.
 */
export async function takeTurn<T>(deps: TurnDeps, asking: Asking<T>): Promise<T | Duplicate> {
  const refusal = refusalOf(deps);
  const taken = refusal === null ? await deps.replies.withinLimit(asking.userId, asking.work) : null;
  if (taken !== null) return taken;
  const repeated = await findRepeated(deps, asking);
  if (repeated !== null) return repeated;
  throw refusal ?? busy('Too many of your messages wait for a reply.');
}

/** The answer that the same request got before, or null. */
export async function findRepeated(
  { store }: Pick<TurnDeps, 'store'>,
  { userId, clientId, bodyHash }: Pick<Asking<unknown>, 'userId' | 'clientId' | 'bodyHash'>,
): Promise<Duplicate | null> {
  const asked = await store.askedTurn(userId, clientId);
  if (asked?.bodyHash !== bodyHash) return null;
  const { bodyHash: _, ...answer } = asked;
  return { kind: 'duplicate', ...answer };
}

/** Why nothing new is taken at this moment, or null. */
function refusalOf({ draining, generator, replies }: TurnDeps): CodedError | null {
  if (draining())
    return new CodedError('shutting_down', 'The server is about to stop.', { retryAfterMs: 1000 });
  const admission = generator.admits();
  if (!admission.ok)
    return new CodedError(admission.code, admission.message, { retryAfterMs: admission.retryAfterMs });
  return replies.isFull ? busy('Too many messages wait for a reply.') : null;
}

const busy = (message: string) => new CodedError('overloaded', message, { retryAfterMs: 2000 });

const dayMs = 86_400_000;

/** The user's share of the day that it is now. */
export function quotaNow({
  clock,
  turnsPerDayMax,
}: Pick<TurnDeps, 'clock' | 'turnsPerDayMax'>): Quota | null {
  if (turnsPerDayMax === null) return null;
  return { day: new Date(clock.now()).toISOString().slice(0, 10), turnsMax: turnsPerDayMax };
}

/** @throws CodedError for what the store did not take. */
export function notAppended({ clock }: Pick<TurnDeps, 'clock'>, answer: NotAppended): never {
  if (answer.kind === 'over_quota') {
    const retryAfterMs = dayMs - (clock.now() % dayMs);
    throw new CodedError('rate_limited', 'That was as much as can be asked for on one day.', {
      retryAfterMs,
    });
  }
  if (answer.kind === 'not_found')
    throw new CodedError('not_found', 'There is no such conversation or message.');
  throw new CodedError(answer.kind, answer.reason);
}

/** What was stored, as the turn that is to be answered. */
export function toTurn(stored: {
  readonly user: Message;
  readonly companion: Message;
  readonly generation: Generation;
}): Turn {
  const { user, companion, generation } = stored;
  const { generationId, conversationId, userId } = generation;
  return { generationId, conversationId, userId, user, companion };
}
