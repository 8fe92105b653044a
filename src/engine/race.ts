import { askJudge, decide, fitPlan, keepNow, planProblem, tokensOf } from './racing.ts';
import type {
  Candidate,
  Contender,
  Judge,
  RaceCheckpoint,
  RaceCommit,
  RacePlan,
  RaceRecord,
  Selection,
  Verdict,
} from './request.ts';
import type { Sequence } from './sequence.ts';
import { uniformAt } from './uniform.ts';

export type RaceSelection = Extract<Selection, { kind: 'race' }>;

/** Stream of the race's own draw: the streams of the candidates are their indexes. */
const RACE_STREAM = 0xffffffff;

/** The plan for a race that would start now in so many slots, or what is wrong with it. */
export function askPlan(
  { plan: ask }: RaceSelection,
  slots: number,
): { readonly ok: true; readonly plan: RacePlan } | { readonly ok: false; readonly message: string } {
  try {
    const plan = ask();
    const problem = planProblem(plan);
    if (problem !== null) return { ok: false, message: `the race plan is malformed: ${problem}` };
    return { ok: true, plan: fitPlan(plan, slots) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `the race plan failed: ${reason}` };
  }
}

/** `contender`: may still be committed. `out`: filtered, dropped or failed, or complete and not shown. */
export type RaceRole = 'contender' | 'shown' | 'runner_up' | 'out';

/**
 * The race of one request. Until somebody is committed, all that are alive may be; afterwards one is shown, at most one
 * further is written to its end, and nobody else writes.
 */
export class Race {
  readonly #plan: RacePlan;
  readonly #judge: Judge;
  readonly #seed: number;
  readonly #sequences: readonly Sequence[];
  readonly #checkpoints: RaceCheckpoint[] = [];
  readonly #verdicts = new Map<Sequence, Verdict>();
  /** Empty once somebody is committed, and when nobody is left. */
  #alive: readonly Sequence[];
  #commit: RaceCommit | null = null;
  #shown: Sequence | null = null;
  #runnerUp: Sequence | null = null;

  constructor(plan: RacePlan, judge: Judge, sequences: readonly Sequence[]) {
    this.#plan = plan;
    this.#judge = judge;
    this.#seed = sequences[0]!.sampling.seed;
    this.#sequences = sequences;
    this.#alive = sequences;
    // There is nothing to choose from, so nothing is held back.
    if (sequences.length === 1) {
      this.#show(sequences[0]!, { index: 0, tokens: 0, isExplored: false, propensity: 1 });
    }
  }

  /** The one that is shown; null before the commit, and for good where all were filtered. */
  get shown(): Sequence | null {
    return this.#shown;
  }

  /** The runner-up while it writes: its row is the first to give up. */
  get writingRunnerUp(): Sequence | null {
    return this.#runnerUp?.end === null ? this.#runnerUp : null;
  }

  /** Whether the one that is shown has ended, or nobody is left to be shown. */
  get isDone(): boolean {
    return this.#shown === null ? this.#alive.length === 0 : this.#shown.end !== null;
  }

  get level(): number {
    return this.#plan.level;
  }

  roleOf(sequence: Sequence): RaceRole {
    if (sequence === this.#shown) return 'shown';
    if (sequence === this.#runnerUp) return 'runner_up';
    return this.#alive.includes(sequence) ? 'contender' : 'out';
  }

  /** Judges where the plan asks for it; to be called when a step has drawn. @returns what is wrong with the judge, or null */
  settle(): string | null {
    if (this.#alive.length === 0) return null;
    const contenders = this.#alive.map((sequence) => sequence.toContender());
    const keep = keepNow(this.#plan, {
      alive: contenders,
      judgedAt: this.#checkpoints.at(-1)?.tokens ?? 0,
    });
    return keep === null ? null : this.#judgeAlive(contenders, keep);
  }

  /** A candidate that cannot go on. @returns whether the race goes on without it */
  lose(sequence: Sequence): boolean {
    sequence.fail();
    this.#alive = this.#alive.filter((other) => other !== sequence);
    return this.#shown === null ? this.#alive.length > 0 : sequence !== this.#shown;
  }

  cancel(): void {
    this.#runnerUp?.drop();
    for (const sequence of this.#sequences) sequence.cancel();
    this.#alive = [];
  }

  /** Judges what is complete once more, now that it is. @returns what is wrong with the judge, or null */
  judgeFinished(): string | null {
    // Where nothing is shown, the word that filtered them is the last.
    if (this.#shown === null) return null;
    const finished = this.#sequences.filter(
      (sequence) => sequence === this.#shown || (sequence.isComplete && !this.#isFiltered(sequence)),
    );
    return this.#judgeOnly(finished);
  }

  /** The runner-up after its end, judged beside the one that was shown; null where it came to none of its own. */
  alternative(): Candidate | null {
    const shown = this.#shown;
    const runnerUp = this.#runnerUp;
    if (shown === null || runnerUp === null || !runnerUp.isComplete) return null;
    if (this.#judgeOnly([shown, runnerUp]) !== null) return null;
    return runnerUp.toCandidate(this.#verdicts.get(runnerUp) ?? null);
  }

  /** All that started, but for those that failed. */
  candidates(): readonly Candidate[] {
    return this.#sequences
      .filter(({ end }) => end !== 'failed')
      .map((sequence) => sequence.toCandidate(this.#verdicts.get(sequence) ?? null));
  }

  record(): RaceRecord {
    return {
      level: this.#plan.level,
      candidates: this.#sequences.length,
      checkpoints: [...this.#checkpoints],
      commit: this.#commit,
    };
  }

  #judgeAlive(contenders: readonly Contender[], keep: number): string | null {
    const judged = askJudge(this.#judge, contenders);
    if (!judged.ok) return judged.message;
    const { verdicts } = judged;
    const uniform = uniformAt(this.#seed, RACE_STREAM, 0);
    const { kept, commit, runnerUp } = decide(this.#plan, { contenders, verdicts, keep, uniform });
    this.#remember(this.#alive, verdicts);
    this.#checkpoints.push({
      tokens: tokensOf(contenders),
      alive: contenders.map(({ index }, place) => {
        const { score, filterReason } = verdicts[place]!;
        return { index, score, filterReason };
      }),
      kept,
    });
    for (const sequence of this.#alive) if (!kept.includes(sequence.index)) sequence.drop();
    if (commit === null) this.#alive = this.#alive.filter(({ index }) => kept.includes(index));
    else {
      this.#runnerUp = runnerUp === null ? null : this.#sequences[runnerUp]!;
      this.#show(this.#sequences[commit.index]!, commit);
    }
    return null;
  }

  #show(sequence: Sequence, commit: RaceCommit): void {
    this.#shown = sequence;
    this.#commit = commit;
    this.#alive = [];
  }

  #judgeOnly(sequences: readonly Sequence[]): string | null {
    const judged = askJudge(
      this.#judge,
      sequences.map((sequence) => sequence.toContender()),
    );
    if (!judged.ok) return judged.message;
    this.#remember(sequences, judged.verdicts);
    return null;
  }

  #remember(sequences: readonly Sequence[], verdicts: readonly Verdict[]): void {
    sequences.forEach((sequence, place) => {
      this.#verdicts.set(sequence, verdicts[place]!);
    });
  }

  #isFiltered(sequence: Sequence): boolean {
    return (this.#verdicts.get(sequence)?.filterReason ?? null) !== null;
  }
}
