/** Likelihoods of judged replies under our own model; minutes of work, so they are kept in a file. */
import { createReadStream, existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { CandidateScorer } from '../../src/cli/rank-candidates.ts';
import type { RankContext } from '../../src/conversation/generator.ts';
import type { Contender } from '../../src/engine/request.ts';
import type { Judged, JudgedReply } from './preferences.ts';

export interface MeasuredReply {
  readonly context: RankContext;
  readonly contender: Contender;
}

export type Measured = Omit<Judged, 'replies'> & { readonly replies: readonly MeasuredReply[] };

/** Appends what `file` does not hold yet, in the order of `groups`, which has to be that of the last time. */
export async function measureAll(
  groups: readonly (readonly Judged[])[],
  scorer: CandidateScorer,
  file: string,
): Promise<readonly (readonly Measured[])[]> {
  const measured = existsSync(file) ? (await readMeasured(file)).slice(0, groups.length) : [];
  for (const group of groups.slice(measured.length)) {
    const done = await measureGroup(group, scorer);
    measured.push(done);
    await appendFile(file, `${JSON.stringify(done)}\n`);
    process.stderr.write(`\r${measured.length} of ${groups.length} groups`);
  }
  process.stderr.write('\n');
  return measured;
}

async function measureGroup(group: readonly Judged[], scorer: CandidateScorer): Promise<Measured[]> {
  const done: Measured[] = [];
  // Replies to one context share its prompt.
  const shared = sharedTurns(group);
  if (shared !== null) {
    const texts = group.map(({ replies }) => replies[0]!.text);
    const { context, contenders } = await scorer.score(shared, texts);
    return group.map((one, i) => ({ ...one, replies: [{ context, contender: contenders[i]! }] }));
  }
  for (const { replies, ...judged } of group) {
    const own: MeasuredReply[] = [];
    for (const { turns, text } of replies) {
      const { context, contenders } = await scorer.score(turns, [text]);
      own.push({ context, contender: contenders[0]! });
    }
    done.push({ ...judged, replies: own });
  }
  return done;
}

function sharedTurns(group: readonly Judged[]): JudgedReply['turns'] | null {
  const [first] = group;
  const isShared = group.every(
    ({ replies }) =>
      replies.length === 1 && JSON.stringify(replies[0]?.turns) === JSON.stringify(first?.replies[0]?.turns),
  );
  return isShared ? (first?.replies[0]?.turns ?? null) : null;
}

async function readMeasured(file: string): Promise<(readonly Measured[])[]> {
  const groups: (readonly Measured[])[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    // Written by `measureAll`.
    groups.push(JSON.parse(line) as Measured[]);
  }
  return groups;
}
