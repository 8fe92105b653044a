import { randomBytes, randomInt, randomUUID } from 'node:crypto';

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

/** Ids say what they name and hold 122 random bits; they match `[A-Za-z0-9_-]{1,64}`. */
export function createIds(): Ids {
  const prefixed = (prefix: string) => () => `${prefix}_${randomUUID().replaceAll('-', '')}`;
  return {
    userId: prefixed('u'),
    conversationId: prefixed('c'),
    messageId: prefixed('m'),
    generationId: prefixed('g'),
    candidateId: () => `k_${randomBytes(9).toString('base64url')}`,
    seed: () => randomInt(2 ** 32),
  };
}
