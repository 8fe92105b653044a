/**
 * The tree of a conversation, cut into lines: the first answer to a message goes on with its line, every other one begins a new line. So a
 * branch is a stretch of some lines, a page of it one query by an index, and only lines have to be known to find out which.
 */

/** A message by its place: `line` is the `seq` of the first message of its line. */
export interface LinePlace {
  readonly line: number;
  readonly seq: number;
}

/** The message that a line branches off from; `{ line: 0, seq: 0 }` for a root. */
export type Fork = LinePlace;

export const rootFork: Fork = { line: 0, seq: 0 };

/** The messages of a line from one to another `seq`, both included. */
export interface Stretch {
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

/** Where each line branches off, by its `line`. */
export type Forks = ReadonlyMap<number, Fork>;

/** The branch that ends in a message, its newest stretch first. @throws Error for a line that is not known: a bug. */
export function branchTo(forks: Forks, leaf: LinePlace): Stretch[] {
  const stretches: Stretch[] = [];
  for (let at = leaf; at.line !== 0; at = forkOf(forks, at.line))
    stretches.push({ line: at.line, from: at.line, to: at.seq });
  return stretches;
}

/** A message and all that hangs below it. */
export function below(forks: Forks, top: LinePlace): Stretch[] {
  const stretches: Stretch[] = [{ line: top.line, from: top.seq, to: Number.MAX_SAFE_INTEGER }];
  // A line is younger than what it branches off from, so one pass in the order of age finds them all.
  for (const [line, fork] of [...forks].sort(([one], [other]) => one - other))
    if (isOn(stretches, fork)) stretches.push({ line, from: line, to: Number.MAX_SAFE_INTEGER });
  return stretches;
}

export function isOn(stretches: readonly Stretch[], { line, seq }: LinePlace): boolean {
  return stretches.some((stretch) => stretch.line === line && stretch.from <= seq && seq <= stretch.to);
}

/** The first stretches that hold `count` messages before `beforeSeq`, or all: each holds one at least. */
export function pageOf(stretches: readonly Stretch[], beforeSeq: number, count: number): Stretch[] {
  return stretches
    .filter(({ from }) => from < beforeSeq)
    .slice(0, count)
    .map((stretch) => ({ ...stretch, to: Math.min(stretch.to, beforeSeq - 1) }));
}

/** The part of some stretches in which the newest `places` values of `seq` lie, whether or not all of them are taken. */
export function newestOf(stretches: readonly Stretch[], places: number): Stretch[] {
  const newest: Stretch[] = [];
  let left = places;
  for (const stretch of stretches) {
    if (left <= 0) break;
    newest.push({ ...stretch, from: Math.max(stretch.from, stretch.to - left + 1) });
    left -= stretch.to - stretch.from + 1;
  }
  return newest;
}

function forkOf(forks: Forks, line: number): Fork {
  const fork = forks.get(line);
  if (fork === undefined) throw new Error(`Nobody knows where line ${line} begins.`);
  return fork;
}
