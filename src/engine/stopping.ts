const LEADING_SPACE = /^\s+/u;

/** A word of three letters or more keeps "1." of a list and "Mr." from ending a sentence. */
const SENTENCE_END = /\p{L}{3}[.!?…。！？]+["'”’)\]*]*$/u;
/** UTF-16 code units in which the end of a sentence is sought. */
const SENTENCE_TAIL = 16;

/**
 * The part of a reply that may be shown. Text that could still turn out to be the beginning of a stop string is
 * held back, and so is white space until more text follows: a reply neither starts nor ends with white space, and
 * nothing shown is ever taken back. Text that continues what was written before may start with it.
 *
 * The stop string that is complete first ends the reply (of two that end in the same place, the longer one),
 * so the text does not depend on where one token ends and the next begins. They are sought in what the model
 * wrote, before white space is dropped.
 */
export class ReplyText {
  readonly #stops: readonly string[];
  /** Could be the beginning of a stop string. */
  #undecided = '';
  /** White space that waits for text. */
  #space = '';
  #text: string;
  #isStopped = false;

  /**
   * @param stops none of them empty
   * @param written text that was shown before and is continued
   */
  constructor(stops: readonly string[], written = '') {
    this.#stops = stops;
    this.#text = written;
  }

  /** All that may be shown so far; only ever grows at its end. */
  get text(): string {
    return this.#text;
  }

  /** Whether a stop string was met: what is pushed afterwards is ignored. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether all that was pushed is shown, and ends like a sentence. */
  get endsSentence(): boolean {
    return (
      this.#undecided === '' && this.#space === '' && SENTENCE_END.test(this.#text.slice(-SENTENCE_TAIL))
    );
  }

  push(text: string): void {
    if (this.#isStopped || text === '') return;
    const open = this.#undecided + text;
    const stop = stopIndex(open, this.#stops);
    if (stop !== null) {
      this.#isStopped = true;
      this.#undecided = '';
      this.#show(open.slice(0, stop));
      return;
    }
    const decided = openIndex(open, this.#stops);
    this.#undecided = open.slice(decided);
    this.#show(open.slice(0, decided));
  }

  /** No text will follow: what was held back for a stop string is text after all. */
  end(): void {
    this.#show(this.#undecided);
    this.#undecided = '';
  }

  #show(text: string): void {
    let open = this.#space + text;
    if (this.#text === '') open = open.replace(LEADING_SPACE, '');
    const shown = open.trimEnd();
    this.#space = open.slice(shown.length);
    this.#text += shown;
  }
}

/** Where the stop string begins that is complete first, or null. */
function stopIndex(text: string, stops: readonly string[]): number | null {
  let begin: number | null = null;
  let end = Number.POSITIVE_INFINITY;
  for (const stop of stops) {
    const index = text.indexOf(stop);
    if (index < 0) continue;
    const stopEnd = index + stop.length;
    if (stopEnd < end || (stopEnd === end && begin !== null && index < begin)) {
      begin = index;
      end = stopEnd;
    }
  }
  return begin;
}

/** Where the longest end of `text` begins that is the beginning of a stop string; `text.length` if none is. */
function openIndex(text: string, stops: readonly string[]): number {
  let open = text.length;
  for (const stop of stops) {
    const first = stop.charCodeAt(0);
    for (let index = Math.max(0, text.length - stop.length + 1); index < open; index++) {
      if (text.charCodeAt(index) !== first) continue;
      if (stop.startsWith(text.slice(index))) open = index;
    }
  }
  return open;
}
