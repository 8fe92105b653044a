/** What must not be shown, whatever its score. A beginning is filtered only for what its end cannot mend. */
import type { RankContext } from '../conversation/generator.ts';
import type { Contender } from '../engine/request.ts';
import type { Features } from './features.ts';
import { wordsOf } from './words.ts';

/**
 * `empty`: nothing to show. `role_leak`: writes the other side's turn, or a piece of the template. `loop`: mostly repeats itself.
 * `repeats_own_turn`: mostly an earlier turn of the companion. `echoes_user`: the user's own words.
 */
export type FilterReason = 'empty' | 'role_leak' | 'loop' | 'repeats_own_turn' | 'echoes_user';

const roleMarker =
  /<\|[a-z_]*|^\s*(?:person [ab]|user|human|assistant|system)\s*:|\n\s*(?:person [ab]|user|human|assistant|system|you)\s*:/iu;

/** Words from which on repetition means a loop. */
const loopWordsMin = 12;
const loopShare = 0.5;
/** Words from which on a turn can be a repetition of another: greetings may come again. */
const repeatWordsMin = 6;
const repeatShare = 0.75;

export function filterReasonOf(
  contender: Contender,
  features: Features,
  context: RankContext,
): FilterReason | null {
  const { text, isEnded } = contender;
  if (isEnded && !/[\p{L}\p{N}\p{S}]/u.test(text)) return 'empty';
  if (roleMarker.test(text)) return 'role_leak';
  const words = wordsOf(text);
  if (words.length >= loopWordsMin && features.repetition >= loopShare) return 'loop';
  if (!isEnded || words.length < repeatWordsMin) return null;
  if (features.ownTurnOverlap >= repeatShare) return 'repeats_own_turn';
  return words.join(' ') === wordsOf(context.userTurn).join(' ') ? 'echoes_user' : null;
}
