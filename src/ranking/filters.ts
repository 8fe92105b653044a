/** What must not be shown, whatever its score. A beginning is filtered only for what its end cannot mend. */
import type { Contender } from '../engine/request.ts';
import { type DialogWords, type Features, repetitionOf } from './features.ts';
import { longestCommonPart, wordsOf } from './words.ts';

/**
 * `empty`: nothing that could be read. `role_leak`: writes another side's turn, or a piece of the template. `loop`: goes round in
 * circles. `repeats_own_turn`: little else than an earlier turn of the companion. `echoes_user`: the user's own words, and no others.
 */
export const filterReasons = ['empty', 'role_leak', 'loop', 'repeats_own_turn', 'echoes_user'] as const;
export type FilterReason = (typeof filterReasons)[number];

/** The newest words that are looked at for a loop, and how many of their pairs have to be repetitions. */
const loopWords = 12;
const loopShare = 0.5;
/** The same character this often in a row. */
const stuckCharacter = /(\S)\1{19}/u;
/** Words from which on a turn can be a repetition of another: greetings and thanks may come again. */
const repeatWordsMin = 6;
/** Share of a reply that an earlier turn has in one piece. */
const repeatShare = 0.8;

export function filterReasonOf(
  contender: Contender,
  features: Features,
  dialog: DialogWords,
): FilterReason | null {
  const { text, isEnded } = contender;
  if (isEnded && !/[\p{L}\p{N}\p{S}]/u.test(text)) return 'empty';
  if (features.roleLeak > 0) return 'role_leak';
  const words = wordsOf(text);
  if (isLoop(words) || stuckCharacter.test(text)) return 'loop';
  if (!isEnded || words.length < repeatWordsMin) return null;
  const again = dialog.own.some((turn) => longestCommonPart(words, turn) >= repeatShare * words.length);
  if (again) return 'repeats_own_turn';
  return words.join(' ') === dialog.user.join(' ') ? 'echoes_user' : null;
}

/** Whether at some place of the text half of the last twelve words' pairs had been said within them. */
function isLoop(words: readonly string[]): boolean {
  for (let end = loopWords; end <= words.length; end++) {
    if (repetitionOf(words.slice(end - loopWords, end)) >= loopShare) return true;
  }
  return false;
}
