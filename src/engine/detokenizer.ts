/** Bounds of a continuation byte, unless the byte before narrows them. */
const LOWEST = 0x80;
const HIGHEST = 0xbf;

/**
 * Bytes of tokens to text, as they come. A token may end inside a code point: the bytes wait for the rest.
 * What is no UTF-8 is dropped, also a code point that is never completed; a replacement character appears
 * only where the model wrote one. Otherwise the decoder of the WHATWG Encoding standard, which cannot be used
 * itself since it does not tell a replacement from a written U+FFFD.
 */
export class Detokenizer {
  #needed = 0;
  #codePoint = 0;
  #lower = LOWEST;
  #upper = HIGHEST;

  push(bytes: Uint8Array): string {
    let text = '';
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]!;
      if (this.#needed > 0) {
        if (byte >= this.#lower && byte <= this.#upper) {
          this.#lower = LOWEST;
          this.#upper = HIGHEST;
          this.#codePoint = (this.#codePoint << 6) | (byte & 0x3f);
          this.#needed--;
          if (this.#needed === 0) text += String.fromCodePoint(this.#codePoint);
          continue;
        }
        this.#needed = 0;
      }
      if (byte < 0x80) text += String.fromCharCode(byte);
      else this.#begin(byte);
    }
    return text;
  }

  /** A first byte of several; one that can begin nothing is dropped. */
  #begin(byte: number): void {
    this.#lower = LOWEST;
    this.#upper = HIGHEST;
    if (byte >= 0xc2 && byte <= 0xdf) {
      this.#needed = 1;
      this.#codePoint = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      this.#needed = 2;
      this.#codePoint = byte & 0x0f;
      // Overlong forms and surrogates are no UTF-8.
      if (byte === 0xe0) this.#lower = 0xa0;
      if (byte === 0xed) this.#upper = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      this.#needed = 3;
      this.#codePoint = byte & 0x07;
      // Overlong forms and what lies beyond U+10FFFF.
      if (byte === 0xf0) this.#lower = 0x90;
      if (byte === 0xf4) this.#upper = 0x8f;
    }
  }
}
