/** Many replies, each read through a link of its own that is cut again and again. */
import { uniformAt } from '../../../src/engine/uniform.ts';
import { guestsAt } from '../wire-client.ts';
import { readThroughCuts } from './cut-reader.ts';
import { type FaultKind, openFaultProxy } from './fault-proxy.ts';

export interface CutOptions {
  readonly runs: number;
  readonly seed: number;
  /** Runs with these pauses before the message, in turn. */
  readonly idleMs: readonly number[];
  /** Replies that are read at the same time, beside those that idle. */
  readonly together: number;
  readonly onRun?: (done: number) => void;
}

export interface CutReport {
  readonly runs: number;
  readonly cuts: Readonly<Partial<Record<FaultKind, number>>>;
  /** Runs that ended before the link failed once. */
  readonly uncut: number;
  /** Milliseconds, sorted. */
  readonly resumes: readonly number[];
  readonly wrongs: readonly string[];
}

/** Those that have idled do not all speak in the same moment. */
const spreadMs = 40_000;
/** Cuts of one reply at most. */
const cutsMax = 5;

export async function runCuts(url: string, options: CutOptions): Promise<CutReport> {
  const { runs, seed, idleMs } = options;
  const cuts: Partial<Record<FaultKind, number>> = {};
  const resumes: number[] = [];
  const wrongs: string[] = [];
  let [uncut, done] = [0, 0];

  async function one(run: number): Promise<void> {
    let drawn = 0;
    const pick = (below: number) => Math.floor(uniformAt(seed, run, drawn++) * below);
    await using proxy = await openFaultProxy(url);
    const { token } = await guestsAt(url).guest();
    const idle = idleMs[run % idleMs.length] ?? 0;
    const plan = { pick, cuts: 1 + pick(cutsMax), idleMs: idle === 0 ? 0 : idle + pick(spreadMs) };
    const read = await readThroughCuts(proxy, token, plan);
    for (const kind of proxy.happened) cuts[kind] = (cuts[kind] ?? 0) + 1;
    if (proxy.happened.length === 0) uncut += 1;
    resumes.push(...read.resumes);
    const report = (what: string) => wrongs.push(`run ${run}: ${what}`);
    read.wrongs.forEach(report);
    if (read.text !== read.message.text) report('the text that was read is not that of the message');
    if (read.message.status !== 'done') report(`the reply ended as ${read.message.status}`);
    done += 1;
    options.onRun?.(done);
  }

  const groups = idleMs.map((_, group) =>
    Array.from({ length: runs }, (__, run) => run).filter((run) => run % idleMs.length === group),
  );
  await Promise.all(
    groups.map(async (group, index) => {
      // Those that idle do so all at once.
      const width = idleMs[index] === 0 ? options.together : group.length;
      const waiting = [...group];
      const work = async () => {
        for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) await one(run);
      };
      await Promise.all(Array.from({ length: width }, work));
    }),
  );
  resumes.sort((a, b) => a - b);
  return { runs, cuts, uncut, resumes, wrongs };
}
