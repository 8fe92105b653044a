/**
 * libsql writes U+0000 but reads a text only up to it. So free text is stored with U+0000 as U+0001 '0', and
 * U+0001 itself as U+0001 '1'; every other text is stored as it is.
 */
const nul = '\u0000';
const mark = '\u0001';

export function toStoredText(text: string): string {
  if (!text.includes(nul) && !text.includes(mark)) return text;
  return text.replaceAll(mark, `${mark}1`).replaceAll(nul, `${mark}0`);
}

export function fromStoredText(stored: string): string {
  if (!stored.includes(mark)) return stored;
  // In this order: no U+0001 of the original is left unescaped, so mark '0' can only stand for U+0000.
  return stored.replaceAll(`${mark}0`, nul).replaceAll(`${mark}1`, mark);
}
