/** The ranker as the race sees it. */
import type { RankContext } from '../conversation/generator.ts';
import type { Judge } from '../engine/request.ts';
import { type DialogWords, endsWithQuestion, featuresOf } from './features.ts';
import { filterReasonOf } from './filters.ts';
import { createLinearRanker, type Ranker } from './ranker.ts';
import { rankerVersion, weights } from './weights/features-3.ts';
import { wordsOf } from './words.ts';

/** Earlier own turns that candidates are compared with, the newest; older ones may come again. */
const ownTurnsMax = 8;

export const defaultRanker = createLinearRanker(rankerVersion, weights);

/** Judges candidates for one turn. @param ranker another one, such as a learned model */
export function createJudge(context: RankContext, ranker: Ranker = defaultRanker): Judge {
  const dialog: DialogWords = {
    userTurn: context.userTurn,
    user: wordsOf(context.userTurn),
    own: context.ownTurns.slice(-ownTurnsMax).map(wordsOf),
    ownAsked: endsWithQuestion(context.ownTurns.at(-1) ?? ''),
  };
  return (contenders) =>
    contenders.map((contender) => {
      const features = featuresOf(contender, dialog);
      return {
        score: ranker.score(features),
        features,
        filterReason: filterReasonOf(contender, features, dialog),
      };
    });
}
