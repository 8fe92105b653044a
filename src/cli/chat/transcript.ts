/**
 * Snapshots of a conversation -> what has to be printed to keep a reader up to date. Nothing that was printed is taken back: what
 * changes later is printed anew, with a mark.
 */
import { isUnfinished } from '../../client/messages.ts';
import type { ChatMessage, ConversationState } from '../../client/state.ts';
import { endNote, printable } from './words.ts';

/** Printed as they are, one after another. */
export type Piece =
  /** A reply begins: on a line of its own, with a mark when it takes the place of another. */
  | { readonly kind: 'begin'; readonly mark: 'new' | 'changed' }
  | { readonly kind: 'text'; readonly text: string }
  /** The reply is over; `note` says how, where not by itself. */
  | { readonly kind: 'end'; readonly note: string; readonly isFailed: boolean }
  /** A reply that ended without a word, and how. */
  | { readonly kind: 'silence'; readonly note: string; readonly isFailed: boolean }
  /** A message of the user that was written on another device. */
  | { readonly kind: 'elsewhere'; readonly text: string }
  /** Sending failed. */
  | { readonly kind: 'unsent'; readonly message: ChatMessage };

interface Printed {
  text: string;
  isEnded: boolean;
}

export class Transcript {
  readonly #printed = new Map<string, Printed>();
  readonly #own = new Set<string>();
  readonly #unsent = new Set<string>();
  /** Messages up to it were there before, or on a page of older ones. */
  #seqMax = 0;
  /** Key of the reply that is in the middle of its line. */
  #open: string | null = null;

  /** Takes what is there as known, without printing it. */
  skip(state: ConversationState): void {
    for (const message of state.messages) {
      if (message.role === 'companion' && isUnfinished(message)) continue;
      this.#printed.set(message.key, { text: message.text, isEnded: true });
      this.#seqMax = Math.max(this.#seqMax, message.seq ?? 0);
    }
  }

  /** A message that was typed here. */
  typed(key: string): void {
    this.#own.add(key);
  }

  next(state: ConversationState): readonly Piece[] {
    return state.messages.flatMap((message) =>
      message.role === 'user' ? this.#user(message) : this.#companion(message),
    );
  }

  #user(message: ChatMessage): readonly Piece[] {
    const { key, seq, delivery, text } = message;
    if (delivery === 'failed') {
      if (this.#unsent.has(key)) return [];
      this.#unsent.add(key);
      return [{ kind: 'unsent', message }];
    }
    this.#unsent.delete(key);
    if (this.#printed.has(key) || seq === null) return [];
    this.#printed.set(key, { text, isEnded: true });
    const isNews = seq > this.#seqMax && !this.#own.has(key);
    this.#seqMax = Math.max(this.#seqMax, seq);
    return isNews ? [...this.#close(), { kind: 'elsewhere', text: printable(text) }] : [];
  }

  #companion(message: ChatMessage): readonly Piece[] {
    const { key, text, seq, finishReason } = message;
    const known = this.#printed.get(key);
    const isRunning = isUnfinished(message);
    if (known === undefined) {
      if (text === '' && (isRunning || finishReason === 'superseded')) return [];
      const isOld = !isRunning && seq !== null && seq <= this.#seqMax;
      this.#seqMax = Math.max(this.#seqMax, seq ?? 0);
      if (isOld) {
        this.#printed.set(key, { text, isEnded: true });
        return [];
      }
      if (text !== '') return this.#begin(message, 'new');
      this.#printed.set(key, { text, isEnded: true });
      return [...this.#close(), { kind: 'silence', ...howEnded(message) }];
    }
    if (!text.startsWith(known.text)) return this.#begin(message, 'changed');
    const tail = text.slice(known.text.length);
    if (tail !== '' && known.isEnded) return this.#begin(message, 'changed');
    known.text = text;
    const pieces: Piece[] = tail === '' ? [] : [{ kind: 'text', text: printable(tail) }];
    return [...pieces, ...this.#endIfDone(message, known)];
  }

  #begin(message: ChatMessage, mark: 'new' | 'changed'): readonly Piece[] {
    const { key, text } = message;
    const printed = { text, isEnded: false };
    this.#printed.set(key, printed);
    const closed = this.#close();
    this.#open = key;
    return [
      ...closed,
      { kind: 'begin', mark },
      { kind: 'text', text: printable(text) },
      ...this.#endIfDone(message, printed),
    ];
  }

  #endIfDone(message: ChatMessage, printed: Printed): readonly Piece[] {
    if (printed.isEnded || isUnfinished(message)) return [];
    printed.isEnded = true;
    if (this.#open !== message.key) return [];
    this.#open = null;
    return [{ kind: 'end', ...howEnded(message) }];
  }

  /** Ends the line of a reply that another one interrupts. */
  #close(): readonly Piece[] {
    if (this.#open === null) return [];
    this.#open = null;
    return [{ kind: 'end', note: '', isFailed: false }];
  }
}

function howEnded(message: ChatMessage) {
  return { note: endNote(message), isFailed: message.status === 'failed' };
}
