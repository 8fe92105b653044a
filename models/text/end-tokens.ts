/** Special tokens that end a turn or a text wherever they exist, also when the checkpoint names only one. */
const endTexts = ['<|im_end|>', '<|eot_id|>', '<|endoftext|>'];

/**
 * All ids at which generation ends: those the checkpoint names, then the well-known ones.
 *
 * @throws when there is none: generation would only ever end by length.
 */
export function endTokens(
  named: readonly (number | null | undefined)[],
  special: ReadonlyMap<string, number>,
): number[] {
  const ids = [...named, ...endTexts.map((text) => special.get(text))].filter((id) => typeof id === 'number');
  if (ids.length === 0) throw new Error('The checkpoint names no token that ends a text');
  return [...new Set(ids)];
}
