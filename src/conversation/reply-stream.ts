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

export interface ReplyReader {
  /**
   * What is new, or null when nothing is. Synchronous on purpose: between taking a delta and handing it on
   * nobody can seek, so what a reader gets is contiguous.
   */
  take(): ReplyEvent | null;
  /** Resolves when there may be something new, or the reader was closed. */
  wait(): Promise<void>;
  /** Continues from here: what lies before is not delivered any more. `null` = no text at all, only start and end. */
  seek(offset: number | null): void;
  readonly offset: number | null;
  close(): void;
  readonly closed: boolean;
}

export class ReplyStream {
  #text: string;
  #start: (ReplyEvent & { kind: 'start' }) | null = null;
  #end: ReplyEnd | null = null;
  readonly #changed = new Pulse();

  /** @param text what was shown before a crash: readers may begin inside it. */
  constructor(text = '') {
    this.#text = text;
  }

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
    let position = offset;
    let startTaken = this.#text !== '';
    let closed = false;

    const take = (): ReplyEvent | null => {
      if (!startTaken && this.#start !== null) {
        startTaken = true;
        return this.#start;
      }
      if (position !== null && position < this.#text.length) {
        const delta = { kind: 'delta', offset: position, text: this.#text.slice(position) } as const;
        position = this.#text.length;
        return delta;
      }
      if (this.#end !== null) closed = true;
      return this.#end;
    };

    return {
      take: () => (closed ? null : take()),
      wait: () => (closed ? Promise.resolve() : this.#changed.wait()),
      seek: (to) => {
        position = to;
      },
      get offset() {
        return position;
      },
      close: () => {
        closed = true;
        this.#changed.beat();
      },
      get closed() {
        return closed;
      },
    };
  }
}
