import type { z } from 'zod';
import type { TokenVerifier } from '../auth/verify-token.ts';
import type { AnswerDeps } from '../conversation/answer.ts';
import type { ReactionKind } from '../conversation/message.ts';
import type { TurnDeps } from '../conversation/take-turn.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { ClientEvent, clientEvents, Value } from '../protocol/events.ts';
import type { Store } from '../storage/store.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** Told of what happened, never of what was said. */
export interface EventObserver {
  messageStored(): void;
  messageEdited(): void;
  replyRegenerated(): void;
  replyChosen(): void;
  replyStopped(): void;
  reactionSet(kind: ReactionKind): void;
}

/** What handlers work with, the same for all sockets. */
export interface GatewayDeps extends Omit<TurnDeps, 'store'> {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly observer: EventObserver;
  readonly prompt: AnswerDeps['prompt'];
  readonly verifyToken: TokenVerifier;
  readonly rateLimits: RateLimits;
}

export interface Call extends GatewayDeps {
  readonly session: Session;
}

export type ParsedPayload<E extends ClientEvent> = z.output<(typeof clientEvents)[E]['payload']>;

/**
 * Handles one client event. It answers by calling `ack` once, when what it promises is durable; what is emitted in the
 * same tick after `ack` reaches the client after the acknowledgement. A CodedError before `ack` becomes the answer.
 */
export type Handler<E extends ClientEvent> = (
  call: Call,
  payload: ParsedPayload<E>,
  ack: (value: Value<E>) => void,
) => Promise<void>;
