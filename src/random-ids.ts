import { randomBytes, randomFillSync, randomInt, randomUUID } from 'node:crypto';
import type { Clock } from './std/clock.ts';

const timeDigits = 12;
/** Of one id: 80 bits. */
const randomLength = 10;

/** Sources of ids and seeds, as arguments: pure code never draws its own. */
export interface Ids {
  readonly userId: () => string;
  readonly conversationId: () => string;
  readonly messageId: () => string;
  readonly generationId: () => string;
  readonly candidateId: () => string;
  /** Unsigned 32-bit. */
  readonly seed: () => number;
}

/**
 * Ids say what they name; they match `[A-Za-z0-9_-]{1,64}`. Those of which many are made begin with the time, 48 bits of it as in a
 * UUID of version 7 (RFC 9562), and hold 80 random bits: the rows of one moment then stand side by side in the indexes of a store,
 * which changes fewer pages for them. No order may be read off them, for the clock may jump.
 */
export function createIds({ now }: Pick<Clock, 'now'>): Ids {
  const randomHex = createRandomHex();
  const timed = (prefix: string) => () => `${prefix}_${hexOfTime(now())}${randomHex()}`;
  return {
    userId: () => `u_${randomUUID().replaceAll('-', '')}`,
    conversationId: timed('c'),
    messageId: timed('m'),
    generationId: timed('g'),
    candidateId: () => `k_${randomBytes(9).toString('base64url')}`,
    seed: () => randomInt(2 ** 32),
  };
}

/** Of each byte drawn once, many at a time: three ids come with every message. */
function createRandomHex(): () => string {
  const drawn = Buffer.alloc(400 * randomLength);
  let next = drawn.length;
  return () => {
    if (next === drawn.length) {
      randomFillSync(drawn);
      next = 0;
    }
    next += randomLength;
    return drawn.toString('hex', next - randomLength, next);
  };
}

/** A clock may say anything. */
function hexOfTime(ms: number): string {
  return Math.max(0, Math.trunc(ms)).toString(16).padStart(timeDigits, '0').slice(-timeDigits);
}
