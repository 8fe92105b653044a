import { expect } from 'vitest';
import type { Reply } from '../../../src/conversation/reply.ts';
import type { ReplyReader } from '../../../src/conversation/reply-stream.ts';

/** A device that reads one reply from an offset on, and comes back after the process died. */
export class SimulatedReader {
  readonly generationId: string;
  /** In ticks, on average. */
  readonly readsOneIn: number;
  readonly #from: number;
  #reader: ReplyReader | null;
  #text = '';
  #ends: string[] = [];

  constructor(reply: Reply, { offset, readsOneIn }: { offset: number; readsOneIn: number }) {
    this.generationId = reply.turn.generationId;
    this.readsOneIn = readsOneIn;
    this.#from = offset;
    this.#reader = reply.stream.read(offset);
  }

  takeAll(): void {
    for (let event = this.#reader?.take() ?? null; event !== null; event = this.#reader?.take() ?? null) {
      if (event.kind === 'start') expect(this.#text, 'the start comes before any text').toBe('');
      else if (event.kind === 'delta') {
        expect(event.offset, 'deltas have no holes').toBe(this.#from + this.#text.length);
        this.#text += event.text;
      } else this.#ends.push(event.message.text);
    }
  }

  /** @param reply what the next process makes of it; null when it works on it no more. */
  reconnect(reply: Reply | null): void {
    if (this.#ends.length > 0) return;
    const offset = this.#from + this.#text.length;
    if (reply !== null)
      expect(offset, 'nobody knows more than the log').toBeLessThanOrEqual(reply.stream.text.length);
    this.#reader = reply?.stream.read(offset) ?? null;
  }

  /** @param stored the text of the generation's end. */
  check(stored: string): void {
    const isFollowing = this.#reader !== null;
    expect(stored.slice(this.#from).startsWith(this.#text), 'what was read is what is stored').toBe(true);
    if (!isFollowing) return;
    expect(this.#ends, 'one end').toEqual([stored]);
    expect(this.#text, 'all of it was read').toBe(stored.slice(this.#from));
  }
}
