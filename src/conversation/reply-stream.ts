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

/** What a stream and its readers share. */
interface Written {
  text: string;
  start: (ReplyEvent & { kind: 'start' }) | null;
  end: ReplyEnd | null;
  readonly changed: Pulse;
}

export class ReplyStream {
  readonly #written: Written;

  /** @param text what was shown before a crash: readers may begin inside it. */
  constructor(text = '') {
    this.#written = { text, start: null, end: null, changed: new Pulse() };
  }

  get text(): string {
    return this.#written.text;
  }

  get started(): boolean {
    return this.#written.start !== null;
  }

  get level(): number {
    return this.#written.start?.level ?? 0;
  }

  get end(): ReplyEnd | null {
    return this.#written.end;
  }

  start(candidates: number, level: number): void {
    this.#written.start = { kind: 'start', candidates, level };
    this.#written.changed.beat();
  }

  /** @param text whole code points, so that no offset splits a surrogate pair. */
  append(text: string): void {
    if (text === '' || this.end !== null) return;
    this.#written.text += text;
    this.#written.changed.beat();
  }

  finish(end: ReplyEnd): void {
    this.#written.end ??= end;
    this.#written.changed.beat();
  }

  /** Resolves with the end, at once when it is there already. */
  async ended(): Promise<ReplyEnd> {
    while (this.#written.end === null) await this.#written.changed.wait();
    return this.#written.end;
  }

  /**
   * A new reader from `offset` on (`null`: without text). One that begins after the start does not see the
   * `start` event: it was announced before any text.
   */
  read(offset: number | null): ReplyReader {
    return new ReplyReader(this.#written, offset);
  }
}

export class ReplyReader {
  readonly #written: Written;
  #offset: number | null;
  #startTaken: boolean;
  #closed = false;

  constructor(written: Written, offset: number | null) {
    this.#written = written;
    this.#offset = offset;
    this.#startTaken = written.text !== '';
  }

  get offset(): number | null {
    return this.#offset;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * What is new, or null when nothing is. Synchronous on purpose: between taking a delta and handing it on
   * nobody can seek, so what a reader gets is contiguous.
   */
  take(): ReplyEvent | null {
    if (this.#closed) return null;
    const { text, start, end } = this.#written;
    if (!this.#startTaken && start !== null) {
      this.#startTaken = true;
      return start;
    }
    if (this.#offset !== null && this.#offset < text.length) {
      const offset = this.#offset;
      this.#offset = text.length;
      return { kind: 'delta', offset, text: text.slice(offset) };
    }
    if (end !== null) this.#closed = true;
    return end;
  }

  /** Resolves when there may be something new, or the reader was closed. */
  wait(): Promise<void> {
    return this.#closed ? Promise.resolve() : this.#written.changed.wait();
  }

  /** Continues from here: what lies before is not delivered any more. `null` = no text at all, only start and end. */
  seek(offset: number | null): void {
    this.#offset = offset;
  }

  close(): void {
    this.#closed = true;
    this.#written.changed.beat();
  }
}
