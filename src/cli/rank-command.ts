/** `amity rank`: scores replies that somebody else wrote, with the production ranker. JSON lines in, JSON lines out. */
import { once } from 'node:events';
import { Command } from 'commander';
import type { Config } from '../config/load.ts';
import type { Verdict } from '../engine/request.ts';
import { createJudge, defaultRanker } from '../ranking/judge.ts';
import { DisposalStack } from '../std/disposal-stack.ts';
import { type LineSource, linesOf } from './json-lines.ts';
import { type CandidateScorer, openCandidateScorer } from './rank-candidates.ts';
import { parseRankLine, type RankRequest } from './rank-line.ts';

interface RankFlags {
  readonly features?: boolean;
}

/** Taken off the score of a filtered candidate: more than two scores of the default ranker can differ by. */
const filteredPenalty = 100;

/** @param stdin what `-` reads */
export function createRankCommand(
  settings: () => Config,
  stdin: NodeJS.ReadableStream = process.stdin,
): Command {
  return new Command('rank')
    .description('score candidate replies with the ranker that chooses replies in production')
    .argument(
      '<file>',
      'JSON lines { id, context: [{ role, text }], candidates: [text] }; - is standard input',
    )
    .option(
      '--features',
      'also the ranker, the features behind each score, and why a candidate would be filtered',
    )
    .option('--json', 'JSON lines, which it always writes')
    .addHelpText(
      'after',
      '\nWrites { id, scores: [number] } for each line, in its order: higher is better, comparable within a line.' +
        `\nFiltered candidates, which are never shown, score ${filteredPenalty} less. Ends at the first line that it cannot read.`,
    )
    .action((file: string, flags: RankFlags) =>
      rank(settings(), file === '-' ? { name: 'standard input', stream: stdin } : { name: file }, flags),
    );
}

async function rank(config: Config, source: LineSource, flags: RankFlags): Promise<void> {
  await using open = new DisposalStack();
  let scorer: CandidateScorer | undefined;
  let ranked = 0;
  for await (const request of requestsOf(source)) {
    scorer ??= open.use(await openCandidateScorer(config));
    await print(await answer(scorer, request, flags));
    ranked++;
    if (process.stderr.isTTY) process.stderr.write(`\r${ranked} ranked`);
  }
  if (process.stderr.isTTY && ranked > 0) process.stderr.write('\n');
}

async function answer(scorer: CandidateScorer, request: RankRequest, flags: RankFlags): Promise<object> {
  const { id } = request;
  const { context, contenders } = await scorer.score(request.context, request.candidates);
  const verdicts = createJudge(context)(contenders);
  const scores = verdicts.map(toScore);
  if (flags.features !== true) return { id, scores };
  return {
    id,
    scores,
    ranker: defaultRanker.version,
    features: verdicts.map(({ features }) => features),
    filterReasons: verdicts.map(({ filterReason }) => filterReason),
  };
}

const toScore = ({ score, filterReason }: Verdict) =>
  Number((filterReason === null ? score : score - filteredPenalty).toFixed(6));

/** @throws Error that names the line, at the first one that cannot be read. */
async function* requestsOf(source: LineSource): AsyncGenerator<RankRequest> {
  for await (const { number, text } of linesOf(source)) {
    const parsed = parseRankLine(text);
    if (!parsed.ok) throw new Error(`${source.name}, line ${number}: ${parsed.problem}`);
    yield parsed.request;
  }
}

async function print(value: object): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(value)}\n`)) await once(process.stdout, 'drain');
}
