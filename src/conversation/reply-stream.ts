/**
 * One reply while it is written: the text so far, and how it ended. Any number of readers follow it.
 *
 * A reader is nothing but an offset into the text. It pulls "whatever is new" when it is ready for it, so a slow
 * reader gets fewer and longer deltas instead of a growing queue, and the stream never waits for anybody.
 */

import { Pulse } from '../std/pulse.ts';
import type { FinishReason, Message } from './message.ts';

export type ReplyEvent =
  | { readonly kind: 'start'; readonly candidates: number; readonly level: number }
  /** `offset` in UTF-16 code units from the beginning of the reply. */
  | { readonly kind: 'delta'; readonly offset: number; readonly text: string }
  | ReplyEnd;

export type ReplyEnd =
  | { readonly kind: 'end'; readonly message: Message; readonly finishReason: FinishReason }
  /** `error`: a CodedError, or a bug. */
  | { readonly kind: 'fail'; readonly message: Message; readonly error: unknown };

export interface ReplyReader extends AsyncIterable<ReplyEvent> {
  /** Continues from here: what lies before is not delivered any more. `null` = no text at all, only start and end. */
  seek(offset: number | null): void;
  readonly offset: number | null;
  /** Ends the iteration at the next event. */
  close(): void;
}

export class ReplyStream {
  #text = '';
  #start: (ReplyEvent & { kind: 'start' }) | null = null;
  #end: ReplyEnd | null = null;
  readonly #changed = new Pulse();

  get text(): string {
    return this.#text;
  }

  get started(): boolean {
    return this.#start !== null;
  }

  get level(): number {
    return this.#start?.level ?? 0;
  }

  get end(): ReplyEnd | null {
    return this.#end;
  }

  start(candidates: number, level: number): void {
    this.#start = { kind: 'start', candidates, level };
    this.#changed.beat();
  }

  /** @param text whole code points, so that no offset splits a surrogate pair. */
  append(text: string): void {
    if (text === '' || this.#end !== null) return;
    this.#text += text;
    this.#changed.beat();
  }

  finish(end: ReplyEnd): void {
    this.#end ??= end;
    this.#changed.beat();
  }

  /** Resolves with the end, at once when it is there already. */
  async ended(): Promise<ReplyEnd> {
    while (this.#end === null) await this.#changed.wait();
    return this.#end;
  }

  /**
   * A new reader from `offset` on (`null`: without text). One that begins after the start does not see the
   * `start` event: it was announced before any text.
   */
  read(offset: number | null): ReplyReader {
    const stream = this;
    let position = offset;
    let startSeen = this.#text !== '';
    let closed = false;

    const next = (): ReplyEvent | null => {
      if (!startSeen && stream.#start !== null) {
        startSeen = true;
        return stream.#start;
      }
      if (position !== null && position < stream.#text.length) {
        const delta = { kind: 'delta', offset: position, text: stream.#text.slice(position) } as const;
        position = stream.#text.length;
        return delta;
      }
      return null;
    };

    async function* iterate(): AsyncGenerator<ReplyEvent> {
      while (!closed) {
        const event = next() ?? stream.#end;
        if (event === null) {
          await stream.#changed.wait();
          continue;
        }
        yield event;
        if (event === stream.#end) return;
      }
    }

    return {
      seek: (to) => {
        position = to;
      },
      get offset() {
        return position;
      },
      close: () => {
        closed = true;
        stream.#changed.beat();
      },
      [Symbol.asyncIterator]: iterate,
    };
  }
}
