/** Token buckets and counts, in the memory of this process. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { CodedError } from '../std/coded-error.ts';
import { connectsPerAddress, costOf, eventRates, guestsPerAddress, type Rate, socketsMax } from './rates.ts';

/** Whom an event is from. */
export interface Source {
  readonly socketId: string;
  readonly userId: string;
  readonly address: string;
}

/** Each method throws CodedError `rate_limited`, with the time after which it would not. */
export interface RateLimits {
  connect(address: string): Promise<void>;
  guest(address: string): Promise<void>;
  event(source: Source, event: string): Promise<void>;
  /** Counts a connection until it is disposed of. */
  socket(source: Pick<Source, 'userId' | 'address'>): Disposable;
}

/** Counts nothing and refuses nobody. */
export const unlimited: RateLimits = {
  connect: async () => {},
  guest: async () => {},
  event: async () => {},
  socket: () => ({ [Symbol.dispose]: () => {} }),
};

export function createRateLimits(): RateLimits {
  const connects = bucket(connectsPerAddress);
  const guests = bucket(guestsPerAddress);
  const events = {
    socket: bucket(eventRates.socket),
    user: bucket(eventRates.user),
    address: bucket(eventRates.address),
  };
  const perUser = new Counts(socketsMax.perUser);
  const perAddress = new Counts(socketsMax.perAddress);
  return {
    connect: (address) => takeOne(connects, address),
    guest: (address) => takeOne(guests, address),
    async event({ socketId, userId, address }, event) {
      const cost = costOf(event);
      try {
        // The narrowest first: what it refuses costs the others nothing.
        await events.socket.consume(socketId, cost);
        await events.user.consume(userId, cost);
        await events.address.consume(address, cost);
      } catch (refusal) {
        throw toCodedError(refusal);
      }
    },
    socket({ userId, address }) {
      const held = perUser.hold(userId, 'You have too many connections.');
      try {
        const here = perAddress.hold(address, 'There are too many connections from your address.');
        return {
          [Symbol.dispose]: () => {
            held[Symbol.dispose]();
            here[Symbol.dispose]();
          },
        };
      } catch (error) {
        held[Symbol.dispose]();
        throw error;
      }
    },
  };
}

function bucket({ points, seconds }: Rate): RateLimiterMemory {
  return new RateLimiterMemory({ points, duration: seconds });
}

async function takeOne(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    throw toCodedError(refusal);
  }
}

function toCodedError(refusal: unknown): unknown {
  if (!(refusal instanceof RateLimiterRes)) return refusal;
  const retryAfterMs = Math.max(1, refusal.msBeforeNext);
  return new CodedError('rate_limited', 'That is more than is taken at once.', { retryAfterMs });
}

/** How many of something each key holds. */
class Counts {
  readonly #max: number;
  readonly #held = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws CodedError `rate_limited` when the key holds as many as it may. */
  hold(key: string, refusal: string): Disposable {
    const held = this.#held.get(key) ?? 0;
    if (held >= this.#max) throw new CodedError('rate_limited', refusal, { retryAfterMs: 5000 });
    this.#held.set(key, held + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (this.#held.get(key) ?? 1) - 1;
        if (left === 0) this.#held.delete(key);
        else this.#held.set(key, left);
      },
    };
  }
}
