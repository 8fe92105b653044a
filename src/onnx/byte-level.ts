/**
 * The alphabet of byte-level BPE (GPT-2 and its descendants): every byte has a printable character that
 * stands for it in the vocabulary. Printable Latin-1 stands for itself, the rest for U+0100 onwards, in order.
 */
const BYTE_OF_CHARACTER: ReadonlyMap<number, number> = byteOfCharacter();

function byteOfCharacter(): Map<number, number> {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  const table = new Map<number, number>();
  let shifted = 0x100;
  for (let byte = 0; byte < 256; byte += 1) table.set(isPrintable(byte) ? byte : shifted++, byte);
  return table;
}

/** The bytes that a vocabulary entry stands for, or null when it is not written in this alphabet. */
export function byteLevelBytes(token: string): Uint8Array | null {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i += 1) {
    const byte = BYTE_OF_CHARACTER.get(token.charCodeAt(i));
    if (byte === undefined) return null;
    bytes[i] = byte;
  }
  return bytes;
}
