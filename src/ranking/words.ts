/** Lower-case words of a text: letters, marks and digits of any script, apostrophes inside. */
export function wordsOf(text: string): readonly string[] {
  return (
    text
      .slice(0, charactersMax)
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*/gu) ?? []
  );
}

/** UTF-16 units that are looked at: replies have a few hundred, and the work must stay bounded for any text. */
const charactersMax = 2000;

/** Length in words of the longest part that two texts have in common, in one piece. */
export function longestCommonPart(a: readonly string[], b: readonly string[]): number {
  let longest = 0;
  let previous = new Uint16Array(b.length + 1);
  for (const word of a) {
    const current = new Uint16Array(b.length + 1);
    for (let place = 0; place < b.length; place++) {
      if (word !== b[place]) continue;
      const length = (previous[place] ?? 0) + 1;
      current[place + 1] = length;
      if (length > longest) longest = length;
    }
    previous = current;
  }
  return longest;
}
