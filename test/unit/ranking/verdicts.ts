import type { RankContext } from '../../../src/conversation/generator.ts';
import type { Contender, Verdict } from '../../../src/engine/request.ts';
import { createJudge } from '../../../src/ranking/judge.ts';

export const context: RankContext = {
  userTurn: 'I had a long day at work and I am tired.',
  ownTurns: ['I like to hear about your day, tell me more about it.', 'Good morning!'],
};

/** The verdict on a whole text of 20 tokens, unless said otherwise. */
export function verdictOn(text: string, own: Partial<Contender> = {}, about: RankContext = context): Verdict {
  return createJudge(about)([{ index: 0, text, tokens: 20, logProb: -30, isEnded: true, ...own }])[0]!;
}
