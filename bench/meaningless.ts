/** What engines are given where only the number of tokens counts. */

/** Token ids that mean nothing, and others in each round. */
export function meaninglessPrompt(tokens: number, round: number): Int32Array {
  return Int32Array.from({ length: tokens }, (_, i) => 200 + ((i * 37 + round * 101) % 40_000));
}
