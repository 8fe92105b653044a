/** The ranker as the race sees it. */
import type { RankContext } from '../conversation/generator.ts';
import type { Judge } from '../engine/request.ts';
import { featuresOf } from './features.ts';
import { filterReasonOf } from './filters.ts';
import { createLinearRanker, type Ranker } from './ranker.ts';
import { rankerVersion, weights } from './weights.ts';

const defaultRanker = createLinearRanker(rankerVersion, weights);

/** Judges candidates for one turn. @param ranker another one, such as a learned model */
export function createJudge(context: RankContext, ranker: Ranker = defaultRanker): Judge {
  return (contenders) =>
    contenders.map((contender) => {
      const features = featuresOf(contender, context);
      return {
        score: ranker.score(features),
        features,
        filterReason: filterReasonOf(contender, features, context),
      };
    });
}
