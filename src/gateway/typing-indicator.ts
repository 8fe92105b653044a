import type { ServerPayload } from '../protocol/events.ts';

/** How long a client shows the dots without hearing of them again. */
const ttlMs = 5000;
const renewalMs = 2500;

/**
 * The companion's typing dots on one device. They stand while at least one reply of the conversation is under way,
 * are renewed at half their life, and are taken back on every end.
 */
export class TypingIndicator {
  readonly #emit: (update: ServerPayload<'typing:update'>) => void;
  readonly #active = new Map<string, { replies: number; readonly renewal: NodeJS.Timeout }>();

  constructor(emit: (update: ServerPayload<'typing:update'>) => void) {
    this.#emit = emit;
  }

  begin(conversationId: string): void {
    const active = this.#active.get(conversationId);
    if (active !== undefined) {
      active.replies++;
      return;
    }
    const show = () => this.#show(conversationId, true);
    this.#active.set(conversationId, { replies: 1, renewal: setInterval(show, renewalMs).unref() });
    show();
  }

  end(conversationId: string): void {
    const active = this.#active.get(conversationId);
    if (active === undefined || --active.replies > 0) return;
    clearInterval(active.renewal);
    this.#active.delete(conversationId);
    this.#show(conversationId, false);
  }

  close(): void {
    for (const { renewal } of this.#active.values()) clearInterval(renewal);
    this.#active.clear();
  }

  #show(conversationId: string, typing: boolean): void {
    this.#emit({ conversationId, who: 'companion', typing, ttlMs });
  }
}
