import type { ServerPayload } from '../protocol/events.ts';

/** How long a device is believed to be typed on without saying so again. */
const ttlMs = 5000;

/** What the user's other devices are told of the typing on one device. It ends by itself, whatever becomes of that device. */
export class UserTyping implements Disposable {
  readonly #tellOthers: (update: ServerPayload<'typing:update'>) => void;
  /** By conversation: the end that comes unless it is said again. */
  readonly #ends = new Map<string, NodeJS.Timeout>();

  constructor(tellOthers: (update: ServerPayload<'typing:update'>) => void) {
    this.#tellOthers = tellOthers;
  }

  set(conversationId: string, typing: boolean): void {
    const wasTyping = this.#ends.has(conversationId);
    clearTimeout(this.#ends.get(conversationId));
    this.#ends.delete(conversationId);
    if (typing) {
      const end = setTimeout(() => this.set(conversationId, false), ttlMs).unref();
      this.#ends.set(conversationId, end);
    }
    if (typing || wasTyping) this.#tellOthers({ conversationId, who: 'user', typing, ttlMs });
  }

  [Symbol.dispose](): void {
    for (const conversationId of [...this.#ends.keys()]) this.set(conversationId, false);
  }
}
