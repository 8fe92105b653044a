/** Texts as lists of words, and what two lists have in common. */

/** UTF-16 units of a text that are looked at: replies have a few hundred, and the work must stay bounded for any text. */
const charactersMax = 2000;
/** Words of a text that are looked at; a reply of 100 tokens has about 75. */
export const wordsMax = 300;

/**
 * Scripts that put no space between words: each of their characters counts as a word. An emoji is a word too. Else letters, marks and
 * digits in a row, with apostrophes inside.
 */
const unspaced = String.raw`[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]\p{M}*`;
const emoji = String.raw`\p{Extended_Pictographic}|\p{Regional_Indicator}{2}`;
const letter = `(?:(?!${unspaced})[\\p{L}\\p{M}\\p{N}])`;
const word = new RegExp(`${unspaced}|${emoji}|${letter}+(?:['’]${letter}+)*`, 'gu');

/** Lower-case words of a text in any script, the first `wordsMax`. */
export function wordsOf(text: string): readonly string[] {
  const found = text.slice(0, charactersMax).toLowerCase().match(word) ?? [];
  return found.slice(0, wordsMax).map((one) => one.replaceAll('’', "'"));
}

/** Length in words of the longest part that two texts have in common, in one piece. At most `a.length * b.length` comparisons. */
export function longestCommonPart(a: readonly string[], b: readonly string[]): number {
  let longest = 0;
  let previous = new Uint16Array(b.length + 1);
  let current = new Uint16Array(b.length + 1);
  for (const one of a) {
    for (let place = 0; place < b.length; place++) {
      const length = one === b[place] ? (previous[place] ?? 0) + 1 : 0;
      current[place + 1] = length;
      if (length > longest) longest = length;
    }
    [previous, current] = [current, previous];
  }
  return longest;
}
